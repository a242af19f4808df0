// SPDX-License-Identifier: MIT
// What was caught: by the detector, by rules such as a bank writes, and by the detector alone, with its reasons.

#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include <untoward/io/table.hpp>

namespace {

using untoward::Index;
namespace io = untoward::io;

// --- reading ------------------------------------------------------------------------------------------

/// A column of numbers. Throws Error where a cell is none.
const std::vector<double>& numbers_of(const io::Table& table, const std::string& name) {
    const io::Column& column = table.column(name);
    if (column.is_text) untoward::fail(table.name(), ": column ", name, " has text, expected numbers");
    return column.numbers;
}

/// A payment as the table has it, and of a later one the truth and what the detector says.
struct Seen {
    std::string id, category, country, channel;
    double amount = 0, hour = 0, minutes_since_last = 0, distance = 0;
    double payments_24h = 0, spent_24h = 0, ratio = 0;
    bool abroad = false, new_merchant = false, new_device = false;
    std::size_t kind = 0;  // place in fraud_names
    double score = 0;
    double p_value = 1;
    std::string reasons{};

    bool is_fraud() const { return kind != 0; }
    bool is_online() const { return channel == "online"; }
};

std::vector<Seen> read_payments(const std::filesystem::path& path, bool labelled) {
    const io::Table table = io::read_table(path.string());
    std::vector<Seen> payments(static_cast<std::size_t>(table.rows()));
    const auto read_texts = [&](const char* name, std::string Seen::*field) {
        const io::Column& column = table.column(name);
        for (std::size_t i = 0; i < payments.size(); ++i)
            payments[i].*field = column.text(static_cast<Index>(i));
    };
    const auto read_numbers = [&](const char* name, auto Seen::*field) {
        const std::vector<double>& numbers = numbers_of(table, name);
        for (std::size_t i = 0; i < payments.size(); ++i) {
            auto& value = payments[i].*field;
            value = static_cast<std::remove_reference_t<decltype(value)>>(numbers[i]);
        }
    };
    read_texts("payment_id", &Seen::id);
    read_texts("merchant_category", &Seen::category);
    read_texts("country", &Seen::country);
    read_texts("channel", &Seen::channel);
    read_numbers("amount", &Seen::amount);
    read_numbers("hour", &Seen::hour);
    read_numbers("minutes_since_last", &Seen::minutes_since_last);
    read_numbers("distance_from_home_km", &Seen::distance);
    read_numbers("payments_last_24h", &Seen::payments_24h);
    read_numbers("spent_last_24h", &Seen::spent_24h);
    read_numbers("ratio_to_usual_amount", &Seen::ratio);
    read_numbers("abroad", &Seen::abroad);
    read_numbers("new_merchant", &Seen::new_merchant);
    read_numbers("new_device", &Seen::new_device);
    if (!labelled) return payments;
    const io::Column& kinds = table.column("fraud_kind");
    for (std::size_t i = 0; i < payments.size(); ++i) {
        const auto row = static_cast<Index>(i);
        const auto kind = std::find(fraud_names.begin(), fraud_names.end(), kinds.text(row));
        if (kind == fraud_names.end()) untoward::fail(table.place(row), ": no such fraud_kind");
        payments[i].kind = static_cast<std::size_t>(kind - fraud_names.begin());
    }
    return payments;
}

void read_scores(const std::filesystem::path& path, std::vector<Seen>& payments) {
    const io::Table table = io::read_table(path.string());
    const io::Column& ids = table.column("payment_id");
    std::map<std::string, Index> rows;
    for (Index row = 0; row < table.rows(); ++row) rows[ids.text(row)] = row;
    const std::vector<double>& scores = numbers_of(table, "score");
    const std::vector<double>& p_values = numbers_of(table, "p_value");
    for (Seen& payment : payments) {
        const auto found = rows.find(payment.id);
        if (found == rows.end()) untoward::fail(table.name(), ": has no payment ", payment.id);
        const auto at = static_cast<std::size_t>(found->second);
        payment.score = scores[at];
        payment.p_value = p_values[at];
        constexpr int shown = 3;
        for (int k = 1; k <= shown; ++k) {
            const auto text = [&](const char* what) {
                return table.column(what + std::to_string(k)).text(found->second);
            };
            payment.reasons += (k == 1 ? "" : "; ") + text("feature_") + " is " + text("observed_");
            if (text("observed_") != text("expected_")) payment.reasons += ", expected " + text("expected_");
        }
    }
}

// --- rules --------------------------------------------------------------------------------------------

/// Fires where it applies and the value exceeds the limit.
struct Rule {
    const char* text;
    bool (*applies)(const Seen&);
    double (*value)(const Seen&);
    double limit = std::numeric_limits<double>::quiet_NaN();  // from normal payments, unless it is given

    bool fires(const Seen& payment) const { return applies(payment) && value(payment) > limit; }
};

bool any(const Seen&) {
    return true;
}

// What fraud departments look for, as far as the table has columns for it.
const std::vector<Rule> bank_rules{
    {"times the customer's usual amount", any, [](const Seen& p) { return p.ratio; }},
    {"euros in person, abroad, at night",
     [](const Seen& p) { return p.abroad && !p.is_online() && p.hour < 5; },
     [](const Seen& p) { return p.amount; }},
    {"payments within 24 hours", any, [](const Seen& p) { return p.payments_24h; }},
    {"euros within 24 hours", any, [](const Seen& p) { return p.spent_24h; }},
    {"an hour, by the time since the last, online at a new merchant",
     [](const Seen& p) { return p.is_online() && p.new_merchant; },
     [](const Seen& p) { return 60 / std::max(p.minutes_since_last, 0.1); }},
    {"euros from a new device", [](const Seen& p) { return p.new_device; },
     [](const Seen& p) { return p.amount; }},
    {"km/h from home since the last payment, to a shop", [](const Seen& p) { return !p.is_online(); },
     [](const Seen& p) { return 60 * p.distance / std::max(p.minutes_since_last, 1.0); }},
    {"euros in cash where the customer never was",
     [](const Seen& p) { return p.channel == "atm" && p.new_merchant; },
     [](const Seen& p) { return p.amount; }},
    {"euros without contact", [](const Seen& p) { return p.channel == "contactless"; },
     [](const Seen& p) { return p.amount; }, 50},
};

/// The rules with limits that a share of normal payments exceeds at most.
std::vector<Rule> rules_for(const std::vector<Seen>& normal, double share) {
    std::vector<Rule> rules = bank_rules;
    const auto may_exceed = static_cast<std::size_t>(share * static_cast<double>(normal.size()));
    for (Rule& rule : rules) {
        if (!std::isnan(rule.limit)) continue;
        std::vector<double> values;
        for (const Seen& payment : normal) {
            if (rule.applies(payment)) values.push_back(rule.value(payment));
        }
        std::sort(values.rbegin(), values.rend());
        rule.limit = values.empty() ? 0 : values[std::min(may_exceed, values.size() - 1)];
    }
    return rules;
}

bool fires(const std::vector<Rule>& rules, const Seen& payment) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.fires(payment); });
}

// --- what they caught -----------------------------------------------------------------------------------

double share_fired(const std::vector<Rule>& rules, const std::vector<Seen>& payments) {
    const auto fired =
        std::count_if(payments.begin(), payments.end(), [&](const Seen& p) { return fires(rules, p); });
    return payments.empty() ? 0.0 : static_cast<double>(fired) / static_cast<double>(payments.size());
}

void print_rates(const std::vector<Seen>& payments) {
    constexpr std::array rates{0.001, 0.01, 0.05};
    std::printf("\n  %-28s %7s", "false-alarm rate asked for", "");
    for (const double rate : rates) std::printf("  %8.1f %%", 100 * rate);
    std::printf("\n  %-28s %7s  alarms\n", "", "number");
    const auto line = [&](const char* name, int digits, auto belongs) {
        const auto number = std::count_if(payments.begin(), payments.end(), belongs);
        std::printf("  %-28s %7td", name, number);
        for (const double rate : rates) {
            const auto alarms = std::count_if(payments.begin(), payments.end(),
                                              [&](const Seen& p) { return belongs(p) && p.p_value <= rate; });
            std::printf(
                "  %8.*f %%", digits,
                number == 0 ? 0.0 : 100.0 * static_cast<double>(alarms) / static_cast<double>(number));
        }
        std::printf("\n");
    };
    line("normal payments", 2, [](const Seen& p) { return !p.is_fraud(); });
    for (std::size_t kind = 1; kind < fraud_names.size(); ++kind)
        line(fraud_names[kind], 0, [kind](const Seen& p) { return p.kind == kind; });
    line("all frauds", 0, [](const Seen& p) { return p.is_fraud(); });
}

void print_rules(const std::vector<Rule>& rules, const std::vector<Seen>& payments) {
    std::printf(
        "\n  Rules as a bank writes them, with limits that one normal payment of 1,000 in train.csv "
        "exceeds:\n");
    std::printf("  %-70s  %12s %6s\n", "an alarm for more than", "false alarms", "frauds");
    for (const Rule& rule : rules) {
        int alarms = 0;
        int frauds = 0;
        for (const Seen& payment : payments) {
            if (rule.fires(payment)) ++(payment.is_fraud() ? frauds : alarms);
        }
        std::printf("  %8.5g %-61s  %12d %6d\n", rule.limit, rule.text, alarms, frauds);
    }
}

/// The score that as many normal payments exceed as the rules have false alarms.
double score_of_equal_alarms(const std::vector<Seen>& payments, const std::vector<Rule>& rules) {
    std::vector<double> scores;
    std::size_t alarms = 0;
    for (const Seen& payment : payments) {
        if (payment.is_fraud()) continue;
        scores.push_back(payment.score);
        alarms += fires(rules, payment) ? 1 : 0;
    }
    std::sort(scores.rbegin(), scores.rend());
    return alarms < scores.size() ? scores[alarms] : -std::numeric_limits<double>::infinity();
}

/// The most anomalous payment of a kind that scores above the limit and that no rule finds; or null.
const Seen* strangest(const std::vector<Seen>& payments, const std::vector<Rule>& rules, double limit,
                      std::size_t kind) {
    const Seen* found = nullptr;
    for (const Seen& payment : payments) {
        if (payment.kind == kind && payment.score > limit && !fires(rules, payment) &&
            (found == nullptr || payment.score > found->score)) {
            found = &payment;
        }
    }
    return found;
}

void print_payment(const Seen& p) {
    const long minutes = std::lround(60 * p.hour) % (24 * 60);
    std::printf("\n  %s, %s, p-value %.5f\n", p.id.c_str(), p.is_fraud() ? fraud_names[p.kind] : "normal",
                p.p_value);
    std::printf(
        "    %.2f euros (%.3g times the usual), %s, %s%s, %s, at %02ld:%02ld, %.1f minutes after the last\n",
        p.amount, p.ratio, p.category.c_str(), p.country.c_str(), p.abroad ? " (abroad)" : "",
        p.channel.c_str(), minutes / 60, minutes % 60, p.minutes_since_last);
    std::printf("    %.1f km from home, %s merchant, %s device; %.0f payments and %.2f euros in 24 hours\n",
                p.distance, p.new_merchant ? "new" : "known", p.new_device ? "new" : "known", p.payments_24h,
                p.spent_24h);
    std::printf("    because %s\n", p.reasons.c_str());
}

void print_beside_rules(const std::vector<Seen>& normal, const std::vector<Seen>& payments) {
    const auto rules = rules_for(normal, 0.001);
    const auto strict = rules_for(normal, 0.0005);
    const double rate = share_fired(rules, normal);
    const double strict_rate = share_fired(strict, normal);
    const double limit = score_of_equal_alarms(payments, rules);
    print_rules(rules, payments);

    struct Contender {
        const char* name;
        std::vector<int> alarms;  // by kind
    };
    std::vector<Contender> contenders{{"rules", {}},        {"detector", {}},   {"moved", {}},
                                      {"both, halved", {}}, {"only rules", {}}, {"only moved", {}}};
    std::vector<int> number(fraud_names.size());
    for (Contender& contender : contenders) contender.alarms.resize(fraud_names.size());
    for (const Seen& payment : payments) {
        const bool rule = fires(rules, payment);
        const bool moved = payment.score > limit;
        const std::array alarms{rule,           payment.p_value <= rate,
                                moved,          fires(strict, payment) || payment.p_value <= strict_rate,
                                rule && !moved, moved && !rule};
        for (std::size_t i = 0; i < alarms.size(); ++i)
            contenders[i].alarms[payment.kind] += alarms[i] ? 1 : 0;
        ++number[payment.kind];
    }
    std::printf("\n  %-20s %7s", "alarms of", "number");
    for (const Contender& contender : contenders) std::printf(" %12s", contender.name);
    const auto line = [&](const char* name, std::size_t begin, std::size_t end) {
        const auto sum = [&](const std::vector<int>& of_kind) {
            int total = 0;
            for (std::size_t kind = begin; kind < end; ++kind) total += of_kind[kind];
            return total;
        };
        std::printf("\n  %-20s %7d", name, sum(number));
        for (const Contender& contender : contenders) std::printf(" %12d", sum(contender.alarms));
    };
    line("normal payments", 0, 1);
    for (std::size_t kind = 1; kind < fraud_names.size(); ++kind) line(fraud_names[kind], kind, kind + 1);
    line("all frauds", 1, fraud_names.size());
    std::printf(
        "\n\n"
        "  detector  p-values of at most %.2f%%, the share of train.csv on which a rule fires: chosen "
        "without frauds\n"
        "  moved     the detector with its threshold moved to the false alarms of the rules, known "
        "afterwards only\n"
        "  halved    limits that one payment in 2,000 exceeds, or p-values of at most %.2f%%, the share of "
        "that\n",
        100 * rate, 100 * strict_rate);
    for (std::size_t kind = 1; kind < fraud_names.size(); ++kind) {
        if (contenders[0].alarms[kind] > contenders[2].alarms[kind])
            std::printf("  Of %s the rules find more than the detector.\n", fraud_names[kind]);
    }

    std::printf(
        "\n  What the detector finds and no rule does: the most anomalous payment of each kind, and a false "
        "alarm.\n");
    for (std::size_t i = 1; i <= fraud_names.size(); ++i) {
        const Seen* const found = strangest(payments, rules, limit, i % fraud_names.size());
        if (found != nullptr) print_payment(*found);
    }
    std::printf("\n");
}

}  // namespace

void report(const std::filesystem::path& folder) {
    const auto normal = read_payments(folder / "train.csv", false);
    auto payments = read_payments(folder / "test.csv", true);
    read_scores(folder / "scored.csv", payments);
    print_rates(payments);
    print_beside_rules(normal, payments);
}
