// SPDX-License-Identifier: MIT
// Whatever a registry knows comes back from its text, and a stranger's text is read or refused.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "untoward/dynamic/any_scaler.hpp"
#include "untoward/dynamic/any_score.hpp"
#include "untoward/dynamic/any_threshold.hpp"
#include "untoward/dynamic/training.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

// Other options than the defaults, of every policy that has some.
using Odd = std::map<std::string, std::string>;

// Every name, with its default options and with odd ones: read, written, read again.
template <class Any>
void check_texts(const Registry<Any>& registry, const Odd& odd,
                 const std::set<std::string>& of_another = {}) {
    std::size_t seen = 0;
    for (const std::string& name : io::detail::split_outside(registry.names(), ',')) {
        INFO(name);
        if (of_another.count(name) == 1) {
            CHECK_THROWS_WITH(registry.make(name), ContainsSubstring(name));
            const std::string whole = registry.make(name + "{kl-divergence}").text();
            CHECK_THAT(whole, ContainsSubstring("KlDivergence{}"));
            CHECK(registry.make(whole).text() == whole);
            continue;
        }
        const std::string text = registry.make(name).text();
        CHECK(registry.make(text).text() == text);
        CHECK(io::parse_policy(text).name == name);
        const bool has_options = text.find("{}") == std::string::npos;
        REQUIRE(has_options == (odd.count(name) == 1));
        CHECK_THROWS_WITH(registry.make(name + "{9}"), ContainsSubstring("no place for '9'"));
        CHECK_THROWS_WITH(registry.make(name + "<9>"), ContainsSubstring("too many arguments: '9'"));
        CHECK_THROWS_WITH(registry.make(name + "{no_such=1}"), ContainsSubstring("no option 'no_such'"));
        if (!has_options) continue;
        ++seen;
        const std::string options = odd.at(name);
        const std::string changed = registry.make(name + "{" + options + "}").text();
        INFO(changed);
        CHECK(registry.make(changed).text() == changed);
        // What it was given is what it says, and it is none of the defaults.
        const auto said = io::parse_policy(changed).options;
        const auto given = io::parse_policy("x{" + options + "}").options;
        const auto defaults = io::parse_policy(text).options;
        REQUIRE(said.size() == given.size());
        for (std::size_t i = 0; i < said.size(); ++i) {
            CHECK(said[i].first == given[i].first);
            CHECK_THAT(said[i].second, ContainsSubstring(given[i].second));
            CHECK(said[i].second != defaults[i].second);
        }
    }
    CHECK(seen == odd.size());
}

}  // namespace

TEST_CASE("every score, scaler and threshold comes back from its text") {
    check_texts(
        score_registry<float>(),
        {{"negative-elbo", "draws=10000, seed=18446744073709551615"},
         {"reconstruction-error", "norm=l2"},
         {"reconstruction-probability",
          "draws=7, seed=18446744073709551615, average=log_mean_exp, path=mean"},
         {"importance-weighted-likelihood", "draws=7, seed=18446744073709551615"},
         {"top-share", "share=0.30000000000000004"},
         {"whitened-error", "floor=0.30000000000000004"},
         {"balanced-error", "norm=l1"},
         {"neighbour-score", "space=latent, k=7, most_rows=300"},
         {"mixture-score", "space=residual, most_components=3, shape=diagonal, floor=0.25"},
         {"mahalanobis-score", "space=residual, shrink=false"},
         {"principal-component-score", "space=latent_and_residual, explained=0.75, score=standardised"}},
        {"slog", "negative-log-p", "normal-quantile"});
    check_texts(scaler_registry<float>(), {});
    check_texts(threshold_registry<float>(), {{"conformal", "false_alarm_rate=1e-300"},
                                              {"quantile", "level=0.30000000000000004"},
                                              {"fixed", "value=-1.7976931348623157e+308"}});
}

TEST_CASE("every part of training comes back from its text") {
    check_texts(optimiser_registry(), {{"adam", "beta1=0.1, beta2=0.3, epsilon=1e-300"},
                                       {"adam-w", "beta1=0.1, beta2=0.3, epsilon=1e-300, decay=0.7"},
                                       {"sgd", "momentum=0.30000000000000004, nesterov=true, decay=0.25"}});
    check_texts(learning_rate_registry(),
                {{"constant-schedule", "peak=0.3"},
                 {"step-schedule", "peak=0.3, factor=0.7, every=9, share=0.375"},
                 {"cosine-schedule", "peak=0.3, warmup=0.125, last=0.5"},
                 {"plateau-schedule", "peak=0.3, factor=0.7, patience=7, threshold=0.25, last=0.5"}});
    check_texts(beta_registry(), {{"constant-beta", "beta=0.3"},
                                  {"linear-beta", "beta=0.3, ramp=0.625"},
                                  {"sigmoid-beta", "beta=0.3, middle=0.625, width=0.03125"},
                                  {"cyclical-beta", "beta=0.3, cycles=3, ratio=0.625"}});
    check_texts(averaging_registry(),
                {{"exponential-average", "decay=0.875"}, {"uniform-average", "last=0.125"}});
}

TEST_CASE("sums and products of scores come back as they were") {
    for (const char* text :
         {"2.0f * (3.0f * KlDivergence{})", "-0.1f * KlDivergence{} + KlDivergence{}",
          "1e+20f * KlDivergence{} + 1e-30f * ReconstructionError{.norm = Norm::l1}",
          "0.5f * (0.25f * (KlDivergence{} + 3.0f * KlDivergence{}) + KlDivergence{}) + KlDivergence{}"}) {
        CHECK(make_score(text).text() == text);
    }
    CHECK(io::policy_text(2.0f * (3.0f * KlDivergence{})) == "2.0f * (3.0f * KlDivergence{})");
    // Cut at the plus, not taken for an exponent.
    CHECK_THROWS_WITH(make_score("kl-1e+kl-divergence"), ContainsSubstring("no score 'kl-1e'"));
    // A float is rounded once: by way of a double this one would be 1.
    CHECK(make_score("1.00000005960464477539062500001 * kl-divergence").text() ==
          "1.0000001f * KlDivergence{}");
    // What a float cannot hold is no weight.
    for (const char* weight : {"1e39", "-1e39", "inf", "1e-60", "0x1p3", "1 2", "--1", ""}) {
        INFO(weight);
        CHECK_THROWS_WITH(make_score(std::string(weight) + " * kl-divergence"),
                          ContainsSubstring("expected a number in front of '*'"));
    }
}

TEST_CASE("a stranger's score is read or refused, however deep or long it is") {
    const auto repeated = [](const char* text, int times) {
        std::string result;
        for (int i = 0; i < times; ++i) result += text;
        return result;
    };
    CHECK_NOTHROW(make_score(repeated("(", 20) + "kl-divergence" + repeated(")", 20)));
    CHECK_THROWS_WITH(make_score(repeated("(", 40000) + "kl-divergence" + repeated(")", 40000)),
                      ContainsSubstring("too deep"));
    CHECK_THROWS_WITH(make_score("kl-divergence" + repeated("+kl-divergence", 5000)),
                      ContainsSubstring("too long"));
    CHECK_THROWS_WITH(make_score("kl-divergence" + repeated(" ", 200000)), ContainsSubstring("too long"));
    CHECK_THROWS_AS(make_score("(kl-divergence)(kl-divergence)"), Error);
}

TEST_CASE("a name that would not come back from C++ is not registered") {
    Registry<AnyThreshold<float>> registry("threshold");
    const auto make = [](const io::PolicyText&) { return AnyThreshold<float>(Fixed{}); };
    for (const char* name : {"Fixed", "top-3", "a--b", "a_b", "", "a b", "-a", "a-"}) {
        INFO(name);
        CHECK_THROWS_AS(registry.add(name, make), Error);
    }
    CHECK_NOTHROW(registry.add("top3", make));
    CHECK(registry.names() == "top3");
}
