// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "../scores/elbo.hpp"
#include "../scores/reconstruction.hpp"
#include "registry.hpp"

namespace untoward {

namespace detail {

// The same numbers with run-time sizes, and samples as plain vectors.
template <class S, class Sample>
Tensor<const S, Vec<>> flattened(const Tensor<const S, Sample>& x) {
    return {x.data(), Vec<>(x.rows()), x.batch(), x.stride()};
}
template <class X, class Units>
auto flattened(const Evidence<X, Units>& e) {
    using Flat = Tensor<const typename X::Scalar, Vec<>>;
    return Evidence<Flat, Flat>{
        flattened(e.x),          flattened(e.mean),           flattened(e.log_variance),
        flattened(e.kl),         flattened(e.reconstruction), flattened(e.log_density),
        flattened(e.expectation)};
}

}  // namespace detail

/// Any score, chosen at run time, for numbers of type S: itself a score, so `a + 0.1f * b` works.
///
///     AnyScore<float> score = make_score("reconstruction-error{norm=l1} + 0.1 * kl-divergence");
template <class S = float>
class AnyScore {
public:
    using IsScore = void;
    /// What a score reads, whatever the model's sizes.
    using EvidenceType = Evidence<Tensor<const S, Vec<>>, Tensor<const S, Vec<>>>;

    template <Score Policy>
    requires(!std::same_as<Policy, AnyScore>) AnyScore(const Policy& policy)
        : held_(std::make_shared<Held<Policy>>(policy)) {}

    [[nodiscard]] Needs needs() const { return held_->needs(); }
    template <class Sheet, class EvidenceOfModel>
    void add_to(Sheet& sheet, const EvidenceOfModel& evidence, S weight) const {
        held_->add_to(sheet, detail::flattened(evidence), weight);
    }
    /// C++ text, which `make_score` reads back.
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual Needs needs() const = 0;
        virtual void add_to(ScoreSheet<S>& sheet, const EvidenceType& evidence, S weight) const = 0;
        [[nodiscard]] virtual std::string text() const = 0;
    };
    template <class Policy>
    struct Held final : Interface {
        explicit Held(const Policy& p) : policy(p) {}
        [[nodiscard]] Needs needs() const override { return policy.needs(); }
        void add_to(ScoreSheet<S>& sheet, const EvidenceType& evidence, S weight) const override {
            policy.add_to(sheet, evidence, weight);
        }
        [[nodiscard]] std::string text() const override { return io::policy_text(policy); }
        Policy policy;
    };

    std::shared_ptr<const Interface> held_;
};

/// The scores that are known by name: the library's, and those that a program adds.
template <class S = float>
Registry<AnyScore<S>>& score_registry() {
    static Registry<AnyScore<S>> registry = [] {
        Registry<AnyScore<S>> all("score");
        all.template add<NegativeElbo>();
        all.template add<KlDivergence>();
        all.template add<ReconstructionError>();
        return all;
    }();
    return registry;
}

/// A score from its text: names with options, joined by `+` and weighted by `number *`; brackets group.
/// Throws Error where the text is none.
template <class S = float>
AnyScore<S> make_score(std::string_view text) {
    io::detail::require_readable(text);
    const auto terms = io::detail::split_outside(text, '+');
    if (terms.empty()) fail("there is no score in an empty text");
    constexpr std::size_t most = 100;  // a sum holds a sum
    if (terms.size() > most) fail("a sum of ", terms.size(), " scores is too long, expected at most ", most);
    const auto make_term = [](std::string_view term) -> AnyScore<S> {
        if (term.empty()) fail("a score is missing beside a '+'");
        const auto factors = io::detail::split_outside(term, '*');
        if (factors.size() > 2) io::detail::fail_policy(term, "expected a number, '*' and a score");
        const auto make_factor = [](std::string_view factor) -> AnyScore<S> {
            if (factor.size() >= 2 && factor.front() == '(' && factor.back() == ')')
                return make_score<S>(factor.substr(1, factor.size() - 2));
            return score_registry<S>().make(factor);
        };
        if (factors.size() == 1) return make_factor(factors[0]);
        float weight = 0;
        if (!io::detail::read_value(factors[0], weight))
            io::detail::fail_policy(term, "expected a number in front of '*'");
        return weighted(weight, make_factor(factors[1]));
    };
    AnyScore<S> score = make_term(terms[0]);
    for (std::size_t i = 1; i < terms.size(); ++i) score = score + make_term(terms[i]);
    return score;
}

}  // namespace untoward
