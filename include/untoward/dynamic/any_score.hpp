// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "../scores/elbo.hpp"
#include "../scores/error.hpp"
#include "../scores/rank.hpp"
#include "../scores/reconstruction.hpp"
#include "../scores/slog.hpp"
#include "../scores/statistic.hpp"
#include "../train/training_evidence.hpp"
#include "registry.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// Whoever reads or writes the state of a fitted score (scores/fitted.hpp), whatever the score.
template <class S, bool Reading>
class ErasedState {
public:
    using Size = std::conditional_t<Reading, Index, const Index>;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    using Numbers = std::conditional_t<Reading, Vector, const Vector>;

    virtual void size(const std::string& name, Size& value) = 0;
    virtual void numbers(const std::string& name, Numbers& values, Index length) = 0;

protected:
    ErasedState() = default;
    ~ErasedState() = default;
    ErasedState(const ErasedState&) = delete;
    ErasedState& operator=(const ErasedState&) = delete;
};
template <class S, bool Reading, class Visit>
class HeldState final : public ErasedState<S, Reading> {
public:
    using Base = ErasedState<S, Reading>;
    explicit HeldState(Visit& visit) : visit_(visit) {}
    void size(const std::string& name, typename Base::Size& value) override { visit_.size(name, value); }
    void numbers(const std::string& name, typename Base::Numbers& values, Index length) override {
        visit_.numbers(name, values, length);
    }

private:
    Visit& visit_;
};
// What a score's `state` is given.
template <class State>
struct StateVisit {
    State& to;
    std::string prefix{};

    void size(const std::string& name, auto& value) const { to.size(prefix + name, value); }
    void numbers(const std::string& name, auto& values, Index length) const {
        to.numbers(prefix + name, values, length);
    }
    [[nodiscard]] StateVisit part(const std::string& name) const { return {to, prefix + name + "."}; }
};

}  // namespace detail

/// What any score became when it was fitted: itself a score.
template <class S = float>
class AnyFittedScore {
public:
    static constexpr DrawDetail draw_detail = DrawDetail::perhaps_kl;

    template <Score Fitted>
    requires(!std::same_as<Fitted, AnyFittedScore>) explicit AnyFittedScore(const Fitted& fitted)
        : held_(std::make_shared<Held<Fitted>>(fitted)) {}

    [[nodiscard]] Needs needs() const { return held_->needs(); }
    template <class Sheet, class EvidenceOfModel>
    void add_to(Sheet& sheet, const EvidenceOfModel& evidence, S weight) const {
        held_->add_to(sheet, evidence.flattened(), weight);
    }
    template <class EvidenceOfModel>
    void add_deviations(DeviationSheet<S>& sheet, const EvidenceOfModel& evidence, S weight) const {
        held_->add_deviations(sheet, evidence.flattened(), weight);
    }
    [[nodiscard]] std::size_t arena_bytes(Index batch) const { return held_->arena_bytes(batch); }
    [[nodiscard]] bool fits(Index features, Index units) const { return held_->fits(features, units); }
    static void state(auto& self, auto&& visit) {
        constexpr bool reading = !std::is_const_v<std::remove_reference_t<decltype(self)>>;
        detail::HeldState<S, reading, std::remove_reference_t<decltype(visit)>> held(visit);
        if constexpr (reading) {
            self.held_->read(held);
        } else {
            std::as_const(*self.held_).write(held);
        }
    }

private:
    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual Needs needs() const = 0;
        virtual void add_to(ScoreSheet<S>& sheet, const FlatEvidence<S>& evidence, S weight) const = 0;
        virtual void add_deviations(DeviationSheet<S>& sheet, const FlatEvidence<S>& evidence,
                                    S weight) const = 0;
        [[nodiscard]] virtual std::size_t arena_bytes(Index batch) const = 0;
        [[nodiscard]] virtual bool fits(Index features, Index units) const = 0;
        virtual void read(detail::ErasedState<S, true>& from) = 0;
        virtual void write(detail::ErasedState<S, false>& to) const = 0;
    };
    template <class Fitted>
    struct Held final : Interface {
        explicit Held(const Fitted& f) : fitted(f) {}
        [[nodiscard]] Needs needs() const override { return fitted.needs(); }
        void add_to(ScoreSheet<S>& sheet, const FlatEvidence<S>& evidence, S weight) const override {
            if constexpr (requires { fitted.add_to(sheet, evidence, weight); }) {
                fitted.add_to(sheet, evidence, weight);
            } else {
                detail::refuse({"a score that learns of the training samples scores before it was fitted"});
            }
        }
        void add_deviations(DeviationSheet<S>& sheet, const FlatEvidence<S>& evidence,
                            S weight) const override {
            detail::add_deviations(fitted, sheet, evidence, weight);
        }
        [[nodiscard]] std::size_t arena_bytes(Index batch) const override {
            return detail::score_bytes(fitted, batch);
        }
        [[nodiscard]] bool fits(Index features, Index units) const override {
            return detail::score_fits(fitted, features, units);
        }
        void read(detail::ErasedState<S, true>& from) override {
            detail::StateVisit<detail::ErasedState<S, true>> visit{from};
            detail::visit_state(fitted, visit);
        }
        void write(detail::ErasedState<S, false>& to) const override {
            detail::StateVisit<detail::ErasedState<S, false>> visit{to};
            detail::visit_state(fitted, visit);
        }
        Fitted fitted;
    };

    std::shared_ptr<Interface> held_;  // only a blank one is changed, by reading
};

/// Any score, chosen at run time, for numbers of type S: itself a score, so `a + 0.1f * b` works.
///
///     AnyScore<float> score = make_score("reconstruction-error{norm=l1} + 0.1 * kl-divergence");
template <class S = float>
class AnyScore {
public:
    static constexpr DrawDetail draw_detail = DrawDetail::perhaps_kl;
    template <class>
    using Fitted = AnyFittedScore<S>;

    template <Score Policy>
    requires(!std::same_as<Policy, AnyScore>) AnyScore(const Policy& policy)
        : held_(std::make_shared<Held<Policy>>(policy)) {
        require_options(policy);
    }

    [[nodiscard]] Needs needs() const { return held_->needs(); }
    /// What it is when it is fitted.
    [[nodiscard]] AnyFittedScore<S> fit(const TrainingEvidence<S>& rows) const { return held_->fit(rows); }
    /// The same before its numbers are read from a file; complete where the score learns nothing.
    [[nodiscard]] AnyFittedScore<S> blank() const { return held_->blank(); }
    /// C++ text, which `make_score` reads back.
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual Needs needs() const = 0;
        [[nodiscard]] virtual AnyFittedScore<S> fit(const TrainingEvidence<S>& rows) const = 0;
        [[nodiscard]] virtual AnyFittedScore<S> blank() const = 0;
        [[nodiscard]] virtual std::string text() const = 0;
    };
    template <class Policy>
    struct Held final : Interface {
        using Fitting = detail::ScoreFitting<Policy, Eigen::Matrix<S, Dynamic, 1>>;
        explicit Held(const Policy& p) : policy(p) {}
        [[nodiscard]] Needs needs() const override { return policy.needs(); }
        [[nodiscard]] AnyFittedScore<S> fit(const TrainingEvidence<S>& rows) const override {
            return AnyFittedScore<S>(Fitting::fit(policy, rows));
        }
        [[nodiscard]] AnyFittedScore<S> blank() const override {
            return AnyFittedScore<S>(Fitting::blank(policy));
        }
        [[nodiscard]] std::string text() const override { return io::policy_text(policy); }
        Policy policy;
    };

    std::shared_ptr<const Interface> held_;
};

template <class S = float>
AnyScore<S> make_score(std::string_view text);

namespace detail {

// A score around another: "slog{kl-divergence}".
template <class S, template <class> class Unit>
void add_unit(Registry<AnyScore<S>>& all) {
    all.add(Unit<AnyScore<S>>::name, [](const io::PolicyText& text) -> AnyScore<S> {
        if (text.values.size() != 1 || !text.options.empty() || !text.arguments.empty())
            fail("score '", text.name, "' has one score in {}");
        return Unit<AnyScore<S>>{make_score<S>(text.values[0])};
    });
}

}  // namespace detail

/// The scores that are known by name: the library's, and those that a program adds.
template <class S = float>
Registry<AnyScore<S>>& score_registry() {
    static Registry<AnyScore<S>> registry = [] {
        Registry<AnyScore<S>> all("score");
        all.template add<NegativeElbo>();
        all.template add<KlDivergence>();
        all.template add<ReconstructionError>();
        all.template add<ReconstructionProbability>();
        all.template add<ImportanceWeightedLikelihood>();
        all.template add<TopShare>();
        all.template add<WhitenedError>();
        all.template add<BalancedError>();
        all.template add<NeighbourScore>();
        all.template add<MixtureScore>();
        all.template add<MahalanobisScore>();
        all.template add<PrincipalComponentScore>();
        detail::add_unit<S, Slog>(all);
        detail::add_unit<S, NegativeLogP>(all);
        detail::add_unit<S, NormalQuantile>(all);
        return all;
    }();
    return registry;
}

/// A score from its text: names with options, joined by `+` and weighted by `number *`; brackets group.
/// Throws Error where the text is none.
template <class S>
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
