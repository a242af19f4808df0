// SPDX-License-Identifier: MIT
#include "untoward/io/policy_text.hpp"

#include "support/catch.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/thresholds/conformal.hpp"
#include "untoward/thresholds/quantile.hpp"
#include "untoward/vae/gaussian.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

enum class Shade { light, dark };
constexpr OptionValues<2> option_values(Shade) {
    return {"Shade", {"light", "dark"}};
}

struct Everything {
    bool flag = false;
    Index count = 3;
    std::uint64_t seed = 0;
    double rate = 0.5;
    float weight = 2;
    Shade shade = Shade::light;

    static constexpr const char* name = "every-thing2";
    static constexpr void options(auto& self, auto&& visit) {
        visit("flag", self.flag);
        visit("count", self.count, OptionRange{1, 10});
        visit("seed", self.seed);
        visit("rate", self.rate, OptionRange{0, 1, true});
        visit("weight", self.weight);
        visit("shade", self.shade);
    }
};

struct Nothing {
    static constexpr const char* name = "nothing";
};

struct Sized {
    Vec<> units{};
    double slope = 1;
    static constexpr const char* name = "sized";
    static constexpr void options(auto& self, auto&& visit) {
        visit("units", self.units);
        visit("activation", as_argument<Relu>);
        visit("slope", self.slope);
    }
};

template <class Policy>
Policy read(const char* text) {
    Policy policy;
    io::read_options("thing", io::parse_policy(text), policy);
    return policy;
}

}  // namespace

TEST_CASE("a policy's text has all its options, and gives them back") {
    const Everything thing{true, 7, 18446744073709551615u, 0.1, 1e-10f, Shade::dark};
    const std::string text =
        "EveryThing2{.flag = true, .count = 7, .seed = 18446744073709551615, .rate = 0.1, .weight = 1e-10f, "
        ".shade = Shade::dark}";
    CHECK(io::policy_text(thing) == text);
    const auto back = read<Everything>(text.c_str());
    CHECK(io::policy_text(back) == text);
    CHECK(io::policy_text(read<Everything>("everything")) ==
          "EveryThing2{.flag = false, .count = 3, .seed = 0, .rate = 0.5, .weight = 2.0f, .shade = "
          "Shade::light}");
    CHECK(read<Everything>(" every-thing2 { rate=0.25 , shade = dark } ").rate == 0.25);
    CHECK(read<Everything>("e{flag=yes}").flag);
    CHECK(io::policy_text(Nothing{}) == "Nothing{}");
    CHECK(io::policy_text(Sized{Vec<>(12), 2}) == "Sized<12, Relu>{.slope = 2.0}");
    CHECK(read<Sized>("Sized<12, Relu>{.slope = 2.0}").units.size() == 12);
    CHECK(read<Sized>("sized{units=5}").units.size() == 5);
    CHECK(io::policy_text(Conformal{}) == "Conformal{.false_alarm_rate = 0.01}");
    CHECK(io::policy_text(Chain<Nothing, Nothing>{}) == "Chain{Nothing{}, Nothing{}}");
    CHECK(io::policy_text(Chain<>{}) == "Chain{}");
}

TEST_CASE("what a policy does not have, or cannot be, is an error that says what it has") {
    CHECK_THROWS_WITH(read<Everything>("every{speed=3}"),
                      ContainsSubstring("thing 'every' has no option 'speed'") &&
                          ContainsSubstring("flag, count, seed, rate, weight, shade"));
    CHECK_THROWS_WITH(read<Nothing>("nothing{a=1}"), ContainsSubstring("no option 'a', and no other"));
    CHECK_THROWS_WITH(read<Everything>("e{count=2.5}"),
                      ContainsSubstring("has count '2.5', expected a whole number"));
    CHECK_THROWS_WITH(read<Everything>("e{count=11}"), ContainsSubstring("from 1 to 10"));
    CHECK_THROWS_WITH(read<Everything>("e{rate=1}"), ContainsSubstring("between 0 and 1"));
    CHECK_THROWS_WITH(read<Everything>("e{rate=nan}"), ContainsSubstring("expected a number"));
    CHECK_THROWS_WITH(read<Everything>("e{rate=inf}"), ContainsSubstring("expected a number"));
    CHECK_THROWS_WITH(read<Everything>("e{seed=-1}"), ContainsSubstring("seed '-1'"));
    CHECK_THROWS_WITH(read<Everything>("e{flag=maybe}"), ContainsSubstring("true or false"));
    CHECK_THROWS_WITH(read<Everything>("e{shade=red}"), ContainsSubstring("one of light, dark"));
    CHECK_THROWS_WITH(read<Everything>("e{rate=0.1,rate=0.2}"), ContainsSubstring("twice"));
    CHECK_THROWS_WITH(read<Sized>("sized"), ContainsSubstring("needs its units, like sized<64>"));
    CHECK_THROWS_WITH(read<Sized>("sized<0>"), ContainsSubstring("units '0'"));
    CHECK_THROWS_WITH(read<Sized>("sized<99999999999999999999>"), ContainsSubstring("whole number from 1"));
    CHECK_THROWS_WITH(read<Sized>("sized<3,relu,5>"), ContainsSubstring("too many arguments: '5'"));
}

TEST_CASE("texts that are none are refused, whatever they are") {
    for (const char* text : {"", " ", "<3>", "{}", "a{", "a}", "a{}b", "a<3>{}<4>", "a b", "A!", "a{{}",
                             "a<{>}", "\xff", "a{x=1}}"}) {
        INFO(text);
        CHECK_THROWS_AS(io::parse_policy(text), Error);
    }
    CHECK_THROWS_WITH(io::parse_policy(std::string(200000, 'a')), ContainsSubstring("too long"));
    std::string deep;
    for (int i = 0; i < 1000; ++i) deep += "a{";
    deep += std::string(1000, '}');
    CHECK_THROWS_WITH(io::parse_policy(deep), ContainsSubstring("too deep"));
    // Every part of a good text: a policy, or an Error.
    const std::string good = "Chain{Dense<128, Relu>{}, Dropout{.rate = 0.1}}";
    for (std::size_t n = 0; n <= good.size(); ++n) {
        for (const std::string& part : {good.substr(0, n), good.substr(n)}) {
            try {
                io::parse_policy(part);
            } catch (const Error&) {
            }
        }
    }
}

TEST_CASE("parts in parts") {
    const io::PolicyText chain = io::parse_policy("Chain{Dense<128, Relu>{}, Dropout{.rate = 0.1}}");
    CHECK(chain.name == "chain");
    REQUIRE(chain.values.size() == 2);
    CHECK(chain.values[0] == "Dense<128, Relu>{}");
    CHECK(chain.values[1] == "Dropout{.rate = 0.1}");
    const io::PolicyText dense = io::parse_policy(chain.values[0]);
    CHECK(dense.arguments == std::vector<std::string>{"128", "Relu"});
    CHECK(io::parse_policy("untoward::KlDivergence{}").name == "kl-divergence");
}
