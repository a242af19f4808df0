// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../autodiff/describe.hpp"
#include "../core/elementwise.hpp"
#include "../core/storage.hpp"
#include "policy.hpp"
#include "update.hpp"

namespace untoward UNTOWARD_SETTING {

/// Any optimiser (update.hpp says what one is), chosen at run time: options.optimiser = AdamW{.decay = 0.1}.
class AnyOptimiser {
public:
    /// A copy of `optimiser`, which has to work in float and in double. Throws Error where its options make no sense.
    template <class Rule>
    requires(!std::is_same_v<Rule, AnyOptimiser>) AnyOptimiser(const Rule& optimiser)
        : held_(std::make_shared<Held<Rule>>(optimiser)) {
        require_options(optimiser);
    }

    template <class S>
    void operator()(const Update<S>& update) const {
        held_->apply(update);
    }
    /// What it keeps for every parameter.
    [[nodiscard]] std::span<const char* const> moments() const { return held_->moments(); }
    /// Whether it treats parameters that decay unlike others.
    [[nodiscard]] bool decays() const { return held_->decays(); }
    /// The peak learning rate where the user gives none, for a number of features; `otherwise` where the
    /// optimiser has no opinion.
    [[nodiscard]] double learning_rate(Index features, double otherwise) const {
        return held_->learning_rate(features, otherwise);
    }
    /// In C++: "AdamW{.beta1 = 0.9, ...}".
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    struct Base {
        virtual ~Base() = default;
        virtual void apply(const Update<float>& update) const = 0;
        virtual void apply(const Update<double>& update) const = 0;
        [[nodiscard]] virtual std::span<const char* const> moments() const = 0;
        [[nodiscard]] virtual bool decays() const = 0;
        [[nodiscard]] virtual double learning_rate(Index features, double otherwise) const = 0;
        [[nodiscard]] virtual std::string text() const = 0;
    };

    template <class Rule>
    struct Held final : Base {
        static constexpr bool updates =
            requires(const Rule& r, const Update<float>& f, const Update<double>& d) {
            r(f);
            r(d);
        };
        static constexpr bool has_moments = requires { std::span<const char* const>(Rule::moments); };

        explicit Held(const Rule& optimiser) : rule(optimiser) {
            static_assert(updates, "untoward: an optimiser has operator()(const Update<S>&) const");
            static_assert(!updates || has_moments,
                          "untoward: an optimiser has static constexpr moments, the names of what it keeps");
        }
        void apply([[maybe_unused]] const Update<float>& update) const override {
            if constexpr (updates) rule(update);
        }
        void apply([[maybe_unused]] const Update<double>& update) const override {
            if constexpr (updates) rule(update);
        }
        [[nodiscard]] std::span<const char* const> moments() const override {
            if constexpr (has_moments) {
                return Rule::moments;
            } else {
                return {};
            }
        }
        [[nodiscard]] bool decays() const override {
            if constexpr (requires { rule.decay; }) {
                return rule.decay != 0;
            } else {
                return false;
            }
        }
        [[nodiscard]] double learning_rate(Index features, double otherwise) const override {
            if constexpr (requires { rule.learning_rate(features); }) {
                return rule.learning_rate(features);
            } else {
                return otherwise;
            }
        }
        [[nodiscard]] std::string text() const override { return detail::training_policy_text(rule); }

        Rule rule;
    };

    std::shared_ptr<const Base> held_;  // never changed, so copies may share it
};

/// A stretch of the parameter vector.
struct ParameterRange {
    Index begin = 0;
    Index size = 0;
    bool decay = true;
};

/// What training may change: stretches as long as they can be. All else, frozen parameters, stays as it is.
struct ParameterRanges {
    std::vector<ParameterRange> trainable;
    std::vector<ParameterRange> statistics;  ///< running averages
};

/// The ranges of a model's parameter vector; parameters that decay and others apart only where `by_decay`.
template <class Layer, class... Shapes>
ParameterRanges parameter_ranges(bool by_decay, const Layer& layer, const Shapes&... shapes) {
    ParameterRanges ranges;
    const auto add = [](std::vector<ParameterRange>& to, const ParameterRange& range) {
        if (!to.empty() && to.back().begin + to.back().size == range.begin &&
            to.back().decay == range.decay) {
            to.back().size += range.size;
        } else if (range.size > 0) {
            to.push_back(range);
        }
    };
    describe(
        [&](const ParameterInfo& info) {
            const bool decay = !by_decay || info.attributes.decay;
            if (info.attributes.statistic)
                add(ranges.statistics, {info.offset, info.size, false});
            else if (info.attributes.trainable)
                add(ranges.trainable, {info.offset, info.size, decay});
        },
        layer, shapes...);
    return ranges;
}

namespace detail {

// The Euclidean norm without overflow or underflow. Where the sum of squares is a number large enough that small
// squares lose nothing to be seen it is the root of that, whose last bits go with the instruction set, as those of
// `total` do. Elsewhere it is what Eigen's stableNorm does, blocks in units of the largest value so far, with a third
// of its kinds of expressions, which every program that trains would compile.
template <class S>
S stable_norm(const S* values, Index n) {
    constexpr Index block = 4096;
    constexpr S highest = (std::numeric_limits<S>::max)();
    const S plain = total(n, [](auto x) { return x * x; }, {values});
    if (plain > (std::numeric_limits<S>::min)() * S(0x1p40) && plain <= highest) return std::sqrt(plain);
    S squares = 0;
    S scale = 0;
    S inverse = 1;
    Index size = Eigen::internal::first_default_aligned(values, n);
    for (Index begin = 0; begin < n; begin += size, size = (std::min)(block, n - begin)) {
        if (size == 0) continue;
        const Eigen::Map<const Eigen::Array<S, Dynamic, 1>> part(values + begin, size);
        const S largest = part.abs().maxCoeff();
        if (largest > scale) {
            squares *= (scale / largest) * (scale / largest);
            scale = largest;
            inverse = 1 / largest;
            if (inverse > highest) {
                inverse = highest;
                scale = 1 / highest;
            } else if (largest > highest) {
                inverse = 1;
            }
        } else if (std::isnan(largest)) {
            scale = largest;
        }
        if (scale > 0) squares += (part * inverse).square().sum();
    }
    return scale * std::sqrt(squares);
}

}  // namespace detail

/// Scales these stretches of a gradient so that their Euclidean norm is at most `max_norm`; returns the norm
/// before. Like PyTorch's clip_grad_norm_, the factor is max_norm / (norm + 1e-6).
template <class S>
S clip_norm(S* gradient, std::span<const ParameterRange> ranges, double max_norm) {
    using Map = Eigen::Map<Eigen::Array<S, Dynamic, 1>>;
    S norm = 0;
    for (const ParameterRange& range : ranges) {
        const S of_range = detail::stable_norm(gradient + range.begin, range.size);
        // The norm of one stretch, to the bit, where there is one.
        norm = norm == 0 ? of_range : of_range == 0 ? norm : std::hypot(norm, of_range);
    }
    const S factor = static_cast<S>(max_norm) / (norm + S(1e-6));
    if (factor < 1) {
        for (const ParameterRange& range : ranges) Map(gradient + range.begin, range.size) *= factor;
    }
    return norm;
}
template <class S>
S clip_norm(S* gradient, Index n, double max_norm) {
    const ParameterRange all{0, n, true};
    return clip_norm(gradient, std::span(&all, 1), max_norm);
}

/// An optimiser at work on one parameter vector: its moments, its number of steps, and where it may act.
template <class S>
class Optimiser {
public:
    Optimiser(AnyOptimiser rule, std::vector<ParameterRange> ranges, Index parameters)
        : rule_(std::move(rule)), ranges_(std::move(ranges)), size_(parameters),
          moments_(parameters * static_cast<Index>(rule_.moments().size())) {}
    /// For a vector whose parameters are all trainable, and decay.
    Optimiser(AnyOptimiser rule, Index parameters)
        : Optimiser(std::move(rule), {{0, parameters, true}}, parameters) {}

    /// Both vectors are whole.
    void step(S* parameters, const S* gradient, double learning_rate) {
        ++steps_;
        std::vector<S*>& moments = pointers_;
        moments.resize(rule_.moments().size());
        for (const ParameterRange& range : ranges_) {
            for (std::size_t k = 0; k < moments.size(); ++k)
                moments[k] = moments_.data() + static_cast<Index>(k) * size_ + range.begin;
            rule_(Update<S>{parameters + range.begin, gradient + range.begin, moments.data(), range.size,
                            learning_rate, steps_, range.decay});
        }
    }

    /// For checkpoints.
    void visit_state(StateVisitor& visitor) {
        visitor.visit("optimiser.steps", steps_);
        const auto names = rule_.moments();
        for (std::size_t k = 0; k < names.size(); ++k) {
            visitor.visit(
                std::string("optimiser.") + names[k],
                std::span(moments_.data() + static_cast<Index>(k) * size_, static_cast<std::size_t>(size_)));
        }
    }
    [[nodiscard]] const AnyOptimiser& rule() const { return rule_; }
    [[nodiscard]] const std::vector<ParameterRange>& ranges() const { return ranges_; }

private:
    AnyOptimiser rule_;
    std::vector<ParameterRange> ranges_;
    Index size_;
    Buffer<S> moments_;  // one whole vector after another
    std::vector<S*> pointers_;
    std::int64_t steps_ = 0;
};

}  // namespace untoward
