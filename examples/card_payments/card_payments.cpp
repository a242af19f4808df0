// SPDX-License-Identifier: MIT
// Card payments as a bank sees them, with planted frauds: data to try a detector on.
//
//   card_payments --out DIR     writes DIR/train.csv (normal payments) and DIR/test.csv (later payments, some of
//                               them fraudulent, with the columns `fraud_kind` and `label`)
//   card_payments --report DIR  reads these and DIR/scored.csv (from `untoward score`) and prints what was caught
//                               at which false-alarm rate, and what rules written by hand miss of it (report.cpp)
//
// Customers differ in country, income, habits, hours and commute; they travel, go on shopping trips, and some
// buy in games at night. A few columns are what a bank derives from a customer's history. Frauds come in
// episodes, and the customer's own payments stop for two days after one, because the card is blocked:
//   card_testing      many tiny payments online within minutes, to see which stolen numbers work
//   stolen_card       a few large purchases or withdrawals in a short time, near home or far away
//   account_takeover  online, for usual amounts at usual hours; a strange device or place gives away most, not all
//   cloned_card       every value usual alone, the combination impossible
// No value is taken from a detector, but how subtle the frauds are was chosen so that a plain autoencoder finds
// a good half of them; and they are far more frequent than in life, so that a short table says something.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <numbers>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "report.hpp"
#include "untoward/core/random.hpp"

namespace {

// --- the world --------------------------------------------------------------------------------------

struct Category {
    const char* name;
    double share;          // of a customer's payments, on average
    double median_amount;  // euros
    double sigma;          // of the amount's logarithm
    double online;         // share paid online
    double usual;          // share paid at a merchant the customer knows
    double early, late;    // the two busy hours of a day
    double spread;         // around them, in hours
};

enum CategoryId {
    Groceries,
    Restaurants,
    Transport,
    Fuel,
    Pharmacy,
    Clothing,
    Electronics,
    Household,
    Travel,
    Digital,
    Entertainment,
    Cash
};

constexpr std::array categories{Category{"groceries", 30, 24, 0.75, 0.06, 0.93, 11, 18, 2.3},
                                Category{"restaurants", 14, 21, 0.6, 0.12, 0.5, 12.8, 19.8, 1.3},
                                Category{"transport", 12, 4.5, 0.7, 0.25, 0.85, 8, 17.3, 1.6},
                                Category{"fuel", 6, 55, 0.35, 0, 0.8, 8.5, 17.5, 2.6},
                                Category{"pharmacy", 4, 14, 0.7, 0.1, 0.7, 11, 16, 2.3},
                                Category{"clothing", 5, 48, 0.7, 0.5, 0.4, 14, 20, 2.3},
                                Category{"electronics", 2.2, 130, 0.85, 0.55, 0.35, 14, 20, 2.5},
                                Category{"household", 4, 38, 0.8, 0.3, 0.5, 11, 18, 2.8},
                                Category{"travel", 1.6, 190, 0.9, 0.85, 0.3, 12, 21, 3},
                                Category{"digital", 9, 9, 0.6, 1, 0.85, 13, 21.5, 3.2},
                                Category{"entertainment", 5, 17, 0.6, 0.3, 0.5, 19, 21.5, 2},
                                Category{"cash", 4.5, 70, 0.5, 0, 0.75, 11, 17, 2.8}};

struct Country {
    const char* code;
    double latitude, longitude;
    double home, visited, shop;  // how often: a customer lives there, travels there, buys there online
};

constexpr std::array countries{Country{"DE", 50.5, 9.5, 9, 6, 4},  Country{"FR", 47.5, 2.5, 7, 8, 3},
                               Country{"GB", 52.5, -1.5, 6, 5, 4}, Country{"NL", 52.2, 5.3, 4, 4, 2},
                               Country{"ES", 40.2, -3.7, 4, 9, 1}, Country{"IT", 42.8, 12.5, 4, 8, 1},
                               Country{"PL", 52.0, 19.5, 3, 3, 1}, Country{"AT", 47.5, 14.0, 1, 5, 0.5},
                               Country{"IE", 53.3, -7.0, 0, 1, 7}, Country{"US", 39.0, -95.0, 0, 5, 6},
                               Country{"TR", 38.5, 30.5, 0, 5, 1}, Country{"CN", 33.0, 113.0, 0, 1, 6}};

double kilometres(const Country& a, const Country& b) {
    constexpr double radian = std::numbers::pi / 180;
    const double north = std::sin((b.latitude - a.latitude) * radian / 2);
    const double east = std::sin((b.longitude - a.longitude) * radian / 2);
    const double h =
        north * north + std::cos(a.latitude * radian) * std::cos(b.latitude * radian) * east * east;
    return 2 * 6371 * std::asin(std::sqrt(h));
}

/// The draws this program needs, each from its own place in the random numbers of one seed.
class Chance {
public:
    Chance(std::uint64_t seed, std::uint64_t site) : stream_(seed, site) {}
    double uniform() { return stream_.uniform<double>(); }
    double between(double low, double high) { return low + (high - low) * uniform(); }
    double normal(double mean, double deviation) { return mean + deviation * stream_.normal<double>(); }
    double log_normal(double median, double sigma) { return median * std::exp(normal(0, sigma)); }
    double exponential(double mean) { return -mean * std::log(uniform()); }
    bool happens(double probability) { return uniform() < probability; }
    int whole(int low, int high) { return low + static_cast<int>(stream_.below(high - low + 1)); }
    int poisson(double mean) {
        int count = -1;
        for (double sum = 0; sum < mean; sum += exponential(1)) ++count;
        return std::max(count, 0);
    }
    template <class Weights>
    std::size_t pick(const Weights& weights) {
        double sum = 0;
        for (const double weight : weights) sum += weight;
        double place = uniform() * sum;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            place -= weights[i];
            if (place < 0) return i;
        }
        return weights.size() - 1;
    }

private:
    untoward::RandomStream stream_;
};

template <class Member>
std::array<double, countries.size()> country_weights(Member member, std::size_t except = countries.size()) {
    std::array<double, countries.size()> weights{};
    for (std::size_t i = 0; i < countries.size(); ++i) weights[i] = i == except ? 0 : countries[i].*member;
    return weights;
}

// --- customers and their payments ---------------------------------------------------------------------

enum class Fraud { None, CardTesting, StolenCard, AccountTakeover, ClonedCard };

struct Payment {
    double time = 0;  // in hours since the start
    std::size_t category = 0;
    std::size_t country = 0;
    const char* channel = "chip";
    double amount = 0;
    double distance = 0;
    bool new_merchant = false;
    bool new_device = false;
    Fraud fraud = Fraud::None;
};

struct Customer {
    std::size_t country = 0;
    double payments_per_day = 1;
    double spending = 1;     // factor on every amount
    double clock_shift = 0;  // early birds and night owls, in hours
    double commute = 0;      // km
    bool plays = false;      // buys in games at night
    std::array<double, categories.size()> habits{};
};

Customer make_customer(Chance& chance) {
    Customer customer;
    customer.country = chance.pick(country_weights(&Country::home));
    customer.payments_per_day = chance.log_normal(1.7, 0.4);
    customer.spending = chance.log_normal(1, 0.35);
    customer.clock_shift = chance.normal(0, 1.1);
    customer.commute = chance.log_normal(9, 0.9);
    customer.plays = chance.happens(0.06);
    for (std::size_t i = 0; i < categories.size(); ++i) {
        customer.habits[i] = categories[i].share * chance.log_normal(1, 0.6);
    }
    return customer;
}

double to_cents(double amount) {
    return std::max(0.01, std::round(amount * 100) / 100);
}

double hour_of_day(const Category& category, const Customer& customer, Chance& chance) {
    const double peak = chance.happens(0.45) ? category.early : category.late;
    return std::fmod(chance.normal(peak, category.spread) + customer.clock_shift + 48, 24.0);
}

/// Where a customer is on one day.
struct Place {
    std::size_t country = 0;
    double distance = 0;  // from home, when away
    bool away = false;
};

const char* terminal(double amount, Chance& chance) {
    return amount <= 50 && chance.happens(0.87) ? "contactless"
                                                : "chip";  // 50 euros is the limit for contactless
}

Payment ordinary_payment(const Customer& customer, const Place& place, int day, Chance& chance) {
    Payment payment;
    auto habits = customer.habits;
    if (place.away) {
        habits[Restaurants] *= 2.5;
        habits[Travel] *= 6;
        habits[Entertainment] *= 2;
        habits[Cash] *= 1.5;
        habits[Fuel] *= 0.5;
    }
    payment.category = chance.pick(habits);
    const Category& category = categories[payment.category];
    const double hour = hour_of_day(category, customer, chance);
    payment.time = 24.0 * day + hour;
    payment.amount = to_cents(chance.log_normal(category.median_amount, category.sigma) * customer.spending *
                              (place.away ? 1.25 : 1.0));
    payment.new_merchant = !chance.happens(place.away ? 0.15 : category.usual);

    const bool working_hours = day % 7 < 5 && hour > 8 && hour < 18;
    payment.distance = place.away             ? place.distance + chance.exponential(15)
                       : working_hours        ? std::abs(chance.normal(customer.commute, 1.5))
                       : chance.happens(0.03) ? chance.log_normal(90, 0.7)
                                              : chance.exponential(4);
    payment.country = place.country;
    if (chance.happens(category.online)) {
        payment.channel = "online";
        payment.new_device = chance.happens(0.01);
        if (chance.happens(0.3)) payment.country = chance.pick(country_weights(&Country::shop));
    } else if (payment.category == Cash) {
        payment.channel = "atm";
        payment.amount = std::clamp(10 * std::round(payment.amount / 10), 10.0, 500.0);
    } else {
        payment.channel = terminal(payment.amount, chance);
    }
    return payment;
}

std::vector<Payment> ordinary_payments(const Customer& customer, int days, Chance& chance) {
    std::vector<Payment> payments;
    int away_until = -1;
    Place place{.country = customer.country};
    for (int day = 0; day < days; ++day) {
        if (day > away_until) place = {.country = customer.country};
        if (!place.away && chance.happens(0.012)) {
            away_until = day + chance.whole(1, 9);
            place.away = true;
            place.country = chance.pick(country_weights(&Country::visited));
            place.distance =
                place.country == customer.country
                    ? chance.between(120, 600)
                    : std::max(150.0, kilometres(countries[place.country], countries[customer.country]) +
                                          chance.normal(0, 150));
        }
        for (int i = chance.poisson(customer.payments_per_day * (place.away ? 1.5 : 1.0)); i > 0; --i) {
            payments.push_back(ordinary_payment(customer, place, day, chance));
        }
        if (!place.away && chance.happens(0.02)) {  // an afternoon in town
            double time = 24.0 * day + chance.between(12, 16);
            const double distance = chance.log_normal(20, 0.8);
            for (int i = chance.whole(2, 5); i > 0; --i, time += chance.exponential(0.5)) {
                Payment payment = ordinary_payment(customer, place, day, chance);
                constexpr std::array shops{Clothing, Household, Electronics, Restaurants, Clothing};
                payment.category = shops[static_cast<std::size_t>(chance.whole(0, 4))];
                const Category& category = categories[payment.category];
                payment.amount =
                    to_cents(chance.log_normal(category.median_amount, category.sigma) * customer.spending);
                payment.channel = terminal(payment.amount, chance);
                payment.time = time;
                payment.country = customer.country;
                payment.distance = distance + chance.exponential(0.5);
                payment.new_device = false;
                payments.push_back(payment);
            }
        }
        if (customer.plays && chance.happens(0.12)) {  // an evening of small purchases in a game
            double time = 24.0 * day + std::min(23.5, chance.normal(21.5, 1.5) + customer.clock_shift);
            for (int i = chance.whole(3, 10); i > 0; --i, time += chance.exponential(0.15)) {
                payments.push_back({.time = time,
                                    .category = Digital,
                                    .country = chance.happens(0.5)
                                                   ? customer.country
                                                   : chance.pick(country_weights(&Country::shop)),
                                    .channel = "online",
                                    .amount = to_cents(chance.log_normal(4, 0.5)),
                                    .distance = place.away ? place.distance : chance.exponential(3),
                                    .new_merchant = chance.happens(0.1),
                                    .new_device = chance.happens(0.005)});
            }
        }
    }
    return payments;
}

// --- frauds -----------------------------------------------------------------------------------------------

void card_testing(const Customer& customer, double time, Chance& chance, std::vector<Payment>& out) {
    const std::size_t country = chance.pick(country_weights(&Country::shop, customer.country));
    const double distance =
        kilometres(countries[country], countries[customer.country]) + chance.between(10, 300);
    const bool hidden = chance.happens(0.35);  // behind an address near the customer's
    for (int i = chance.whole(5, 14); i > 0; --i, time += chance.exponential(0.05)) {
        out.push_back({.time = time,
                       .category = chance.happens(0.7)   ? Digital
                                   : chance.happens(0.5) ? Entertainment
                                                         : Transport,
                       .country = country,
                       .channel = "online",
                       .amount = to_cents(chance.between(0.5, 5)),
                       .distance = hidden ? chance.exponential(25) : distance,
                       .new_merchant = chance.happens(0.85),
                       .new_device = chance.happens(0.7),
                       .fraud = Fraud::CardTesting});
    }
}

void stolen_card(const Customer& customer, double time, Chance& chance, std::vector<Payment>& out) {
    time = 24 * std::floor(time / 24) + chance.between(17, 27);  // evening and night
    const bool near = chance.happens(0.3);
    const std::size_t country = near || chance.happens(0.4)
                                    ? customer.country
                                    : chance.pick(country_weights(&Country::visited, customer.country));
    const double distance = near ? chance.log_normal(12, 0.7)
                            : country == customer.country
                                ? chance.between(80, 500)
                                : kilometres(countries[country], countries[customer.country]);
    for (int i = chance.whole(2, 5); i > 0; --i, time += chance.exponential(0.4)) {
        Payment payment{.time = time,
                        .country = country,
                        .distance = distance + chance.exponential(2),
                        .new_merchant = true,
                        .fraud = Fraud::StolenCard};
        if (chance.happens(0.15)) {  // without the code, up to the contactless limit
            payment.category = chance.happens(0.5) ? Groceries : Fuel;
            payment.amount = to_cents(chance.between(35, 50));
            payment.channel = "contactless";
        } else if (chance.happens(0.3)) {
            payment.category = Cash;
            payment.amount = 100.0 * chance.whole(2, 5);
            payment.channel = "atm";
        } else {
            payment.category = chance.happens(0.65) ? Electronics : Clothing;
            payment.amount = to_cents(chance.log_normal(850, 0.5));
            payment.channel = "chip";
        }
        out.push_back(payment);
    }
}

void account_takeover(const Customer& customer, double time, Chance& chance, std::vector<Payment>& out) {
    constexpr std::array wanted{Digital, Clothing, Electronics, Travel, Household};
    const bool strange_place = chance.happens(0.6);
    const bool strange_device = !strange_place || chance.happens(0.6);
    const bool from_inside =
        chance.happens(0.15);  // malware on the customer's own device: hardly anything to see
    const double distance =
        kilometres(countries[chance.pick(country_weights(&Country::visited, customer.country))],
                   countries[customer.country]);
    const int day = static_cast<int>(time / 24);
    const CategoryId bought = wanted[static_cast<std::size_t>(chance.whole(0, 4))];
    time = 24.0 * day + hour_of_day(categories[bought], customer, chance);
    for (int i = chance.whole(1, 3); i > 0; --i, time += chance.exponential(1.0)) {
        const Category& category = categories[bought];
        out.push_back(
            {.time = time,
             .category = bought,
             .country = chance.happens(0.7) ? customer.country : chance.pick(country_weights(&Country::shop)),
             .channel = "online",
             .amount = to_cents(chance.log_normal(category.median_amount * 1.4, 0.6) * customer.spending),
             .distance =
                 strange_place && !from_inside ? distance + chance.exponential(40) : chance.exponential(6),
             .new_merchant = chance.happens(0.8),
             .new_device = strange_device && !from_inside,
             .fraud = Fraud::AccountTakeover});
    }
}

void cloned_card(const Customer& customer, double time, Chance& chance, std::vector<Payment>& out) {
    const int day = static_cast<int>(time / 24);
    const int contradiction = chance.whole(0, 2);
    for (int i = chance.whole(1, 2); i > 0; --i) {
        Payment payment = ordinary_payment(customer, {.country = customer.country}, day, chance);
        payment.fraud = Fraud::ClonedCard;
        payment.new_device = false;
        payment.time += chance.exponential(0.5);
        switch (contradiction) {
            case 0:  // contactless above the limit
                payment.category = chance.happens(0.5) ? Groceries : Household;
                payment.amount = to_cents(chance.between(58, 160));
                payment.channel = "contactless";
                break;
            case 1:  // a terminal abroad, and a few kilometres from home
                payment.country = chance.pick(country_weights(&Country::visited, customer.country));
                payment.channel = payment.category == Cash ? "atm" : terminal(payment.amount, chance);
                payment.distance = chance.exponential(8);
                break;
            default:  // in person, at home, a thousand kilometres from home
                payment.channel = payment.category == Cash ? "atm" : terminal(payment.amount, chance);
                payment.country = customer.country;
                payment.distance = chance.between(900, 4000);
        }
        out.push_back(payment);
    }
}

// --- writing
// ------------------------------------------------------------------------------------------------

struct Options {
    std::filesystem::path out, report;
    std::uint64_t seed = 1;
    int customers = 500, days = 30, test_days = 15;
    double fraud_share = 0.015;
};

/// One payment as the bank's table has it.
struct Row {
    const Payment* payment;
    std::size_t home;
    double minutes_since_last, ratio_to_usual, spent_last_day;
    int last_day;
};

void write(const std::filesystem::path& path, const std::vector<Row>& rows, bool labelled, int& id) {
    std::ofstream file(path);
    file << "payment_id,amount,merchant_category,country,abroad,channel,hour,minutes_since_last,distance_"
            "from_home_km,"
            "payments_last_24h,spent_last_24h,ratio_to_usual_amount,new_merchant,new_device"
         << (labelled ? ",fraud_kind,label\n" : "\n");
    for (const Row& row : rows) {
        const Payment& p = *row.payment;
        std::array<char, 256> line{};
        std::snprintf(line.data(), line.size(), "P%07d,%.2f,%s,%s,%d,%s,%.2f,%.1f,%.1f,%d,%.2f,%.3f,%d,%d",
                      ++id, p.amount, categories[p.category].name, countries[p.country].code,
                      p.country != row.home ? 1 : 0, p.channel, std::fmod(p.time, 24.0),
                      row.minutes_since_last, p.distance, row.last_day, row.spent_last_day,
                      row.ratio_to_usual, p.new_merchant ? 1 : 0, p.new_device ? 1 : 0);
        file << line.data();
        if (labelled) {
            file << ',' << fraud_names[static_cast<std::size_t>(p.fraud)] << ','
                 << (p.fraud == Fraud::None ? 0 : 1);
        }
        file << '\n';
    }
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
}

void generate(const Options& options) {
    constexpr int quiet_days = 30;  // history before the first payment that is written
    const double train_begins = 24.0 * quiet_days;
    const double test_begins = train_begins + 24.0 * options.days;
    const int days = quiet_days + options.days + options.test_days;
    const auto count = static_cast<std::size_t>(options.customers);

    std::vector<Customer> customers(count);
    std::vector<std::vector<Payment>> payments(count);
    std::size_t in_test = 0;
    for (std::size_t i = 0; i < count; ++i) {
        Chance chance(options.seed, i);
        customers[i] = make_customer(chance);
        payments[i] = ordinary_payments(customers[i], days, chance);
        in_test += static_cast<std::size_t>(std::count_if(
            payments[i].begin(), payments[i].end(), [&](const Payment& p) { return p.time >= test_begins; }));
    }

    // Plant episodes of whichever kind lacks most of its share, at most one for each customer.
    constexpr std::array<double, fraud_names.size()> shares{0, 0.35, 0.3, 0.23, 0.12};
    const double wanted = options.fraud_share * static_cast<double>(in_test);
    std::vector<untoward::Index> order(count);
    untoward::permutation(options.seed, count, order);
    std::array<double, fraud_names.size()> planted{};  // payments of each kind, over the kind's share
    std::size_t frauds = 0;
    for (std::size_t i = 0; i < count && static_cast<double>(frauds) < wanted; ++i) {
        const auto who = static_cast<std::size_t>(order[i]);
        Chance chance(options.seed, count + 1 + who);
        const double time = chance.between(test_begins, 24.0 * (days - 1));
        const auto kind = std::min_element(planted.begin() + 1, planted.end()) - planted.begin();
        constexpr std::array plant{card_testing, stolen_card, account_takeover, cloned_card};
        std::vector<Payment> episode;
        plant[static_cast<std::size_t>(kind - 1)](customers[who], time, chance, episode);
        const double begins = std::min_element(episode.begin(), episode.end(), [](auto& a, auto& b) {
                                  return a.time < b.time;
                              })->time;
        std::erase_if(payments[who],
                      [&](const Payment& p) { return p.time > begins && p.time < begins + 48; });
        payments[who].insert(payments[who].end(), episode.begin(), episode.end());
        planted[static_cast<std::size_t>(kind)] +=
            static_cast<double>(episode.size()) / shares[static_cast<std::size_t>(kind)];
        frauds += episode.size();
    }

    std::vector<Row> train, test;
    for (std::size_t i = 0; i < count; ++i) {
        auto& own = payments[i];
        std::stable_sort(own.begin(), own.end(), [](auto& a, auto& b) { return a.time < b.time; });
        std::array<double, categories.size()> usual{};  // running mean of the logarithm of the amount
        for (std::size_t c = 0; c < categories.size(); ++c) {
            usual[c] = std::log(categories[c].median_amount * customers[i].spending);
        }
        for (std::size_t k = 0, day_before = 0; k < own.size(); ++k) {
            const Payment& p = own[k];
            while (own[day_before].time < p.time - 24) ++day_before;
            const double since = k == 0 ? 24 * 60 : (p.time - own[k - 1].time) * 60;
            double spent = 0;
            for (std::size_t j = day_before; j <= k; ++j) spent += own[j].amount;
            const Row row{&p,    customers[i].country,
                          since, p.amount / std::exp(usual[p.category]),
                          spent, static_cast<int>(k - day_before)};
            if (p.time >= test_begins) {
                test.push_back(row);
            } else if (p.time >= train_begins) {
                train.push_back(row);
            }
            if (p.fraud == Fraud::None) usual[p.category] += 0.1 * (std::log(p.amount) - usual[p.category]);
        }
    }
    const auto by_time = [](const Row& a, const Row& b) { return a.payment->time < b.payment->time; };
    std::stable_sort(train.begin(), train.end(), by_time);
    std::stable_sort(test.begin(), test.end(), by_time);

    std::filesystem::create_directories(options.out);
    int id = 0;
    write(options.out / "train.csv", train, false, id);
    write(options.out / "test.csv", test, true, id);
    std::cout << train.size() << " normal payments of " << count << " customers in "
              << (options.out / "train.csv").string() << ",\n"
              << test.size() << " later payments, " << frauds << " of them fraudulent, in "
              << (options.out / "test.csv").string() << '\n';
}

Options parse(int argc, char** argv) {
    Options options;
    const auto number = [](const std::string& name, const std::string& text, double least, double most) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        if (text.empty() || *end != '\0' || !(value >= least && value <= most)) {
            throw std::runtime_error(name + " " + text + ": expected a number from " + std::to_string(least) +
                                     " to " + std::to_string(most));
        }
        return value;
    };
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        if (i + 1 == argc) throw std::runtime_error(name + " needs a value");
        const std::string value = argv[i + 1];
        if (name == "--out")
            options.out = value;
        else if (name == "--report")
            options.report = value;
        else if (name == "--seed")
            options.seed = static_cast<std::uint64_t>(number(name, value, 0, 9e15));
        else if (name == "--customers")
            options.customers = static_cast<int>(number(name, value, 1, 100000));
        else if (name == "--days")
            options.days = static_cast<int>(number(name, value, 1, 1000));
        else if (name == "--test-days")
            options.test_days = static_cast<int>(number(name, value, 2, 1000));
        else if (name == "--fraud-share")
            options.fraud_share = number(name, value, 0, 0.5);
        else
            throw std::runtime_error("unknown option " + name);
    }
    if (options.out.empty() == options.report.empty())
        throw std::runtime_error("expected --out DIR or --report DIR");
    return options;
}

constexpr const char* usage =
    "card_payments --out DIR [--seed N] [--customers N] [--days N] [--test-days N] [--fraud-share S]\n"
    "    writes DIR/train.csv, normal payments of N days, and DIR/test.csv, later ones with planted frauds\n"
    "card_payments --report DIR\n"
    "    reads these and DIR/scored.csv, and says what was caught, and what of it rules written by hand "
    "miss\n";

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1 || std::string_view(argv[1]) == "--help") {
        std::cout << usage;
        return argc == 1 ? 2 : 0;
    }
    try {
        const Options options = parse(argc, argv);
        if (options.report.empty())
            generate(options);
        else
            report(options.report);
    } catch (const std::exception& error) {
        std::cerr << "card_payments: " << error.what() << '\n';
        return 2;
    }
}
