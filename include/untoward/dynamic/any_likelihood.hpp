// SPDX-License-Identifier: MIT
#pragma once

#include "../vae/bernoulli.hpp"
#include "../vae/categorical.hpp"
#include "../vae/gaussian.hpp"
#include "../vae/laplace.hpp"
#include "../vae/poisson.hpp"
#include "../vae/student_t.hpp"
#include "erased.hpp"
#include "registry.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Sample>
struct ErasedLikelihood {
    template <class Scope>
    struct Calls {
        using Hidden = ReaderValue<Scope, Vec<>>;
        using Value = ReaderValue<Scope, Sample>;
        virtual ErasedValues output(Scope& scope, const Sample& sample, const Hidden& hidden) const = 0;
        virtual Value log_density(Scope& scope, const Value& x, const ErasedValues& output) const = 0;
        virtual Value expectation(Scope& scope, const ErasedValues& output) const = 0;
        virtual Value sample(Scope& scope, const ErasedValues& output) const = 0;

    protected:
        ~Calls() = default;
    };
    template <class Scope, class Policy>
    struct Held final : Calls<Scope> {
        using Hidden = ReaderValue<Scope, Vec<>>;
        using Value = ReaderValue<Scope, Sample>;
        using Layer = decltype(std::declval<const Policy&>().layer(std::declval<const Sample&>()));
        using Output =
            decltype(std::declval<const Layer&>()(std::declval<Scope&>(), std::declval<const Hidden&>()));

        explicit Held(const Policy& l) : likelihood(l) {}
        ErasedValues output(Scope& scope, const Sample& sample, const Hidden& hidden) const override {
            return ErasedValues(likelihood.layer(sample)(scope, hidden));
        }
        Value log_density(Scope& scope, const Value& x, const ErasedValues& output) const override {
            return erase_value(likelihood.log_density(scope, x, output.template as<Output>()));
        }
        Value expectation(Scope& scope, const ErasedValues& output) const override {
            return erase_value(likelihood.expectation(scope, output.template as<Output>()));
        }
        Value sample(Scope& scope, const ErasedValues& output) const override {
            return erase_value(likelihood.sample(scope, output.template as<Output>()));
        }
        const Policy& likelihood;
    };
};

}  // namespace detail

/// Any likelihood of samples with run-time extents, chosen at run time, for models with numbers of type S.
template <class S = float, class Sample = Vec<>>
class AnyLikelihood {
    using Erased = detail::ErasedLikelihood<Sample>;
    using Calls = detail::CallsOfReaders<Erased::template Calls, S>;

    struct Layer {
        std::shared_ptr<const Calls> held;
        Sample sample;

        template <class Scope, class X>
        auto operator()(Scope& scope, const X& hidden) const {
            return held->template with<Scope>().output(scope, sample, detail::erase_value(hidden));
        }
    };

public:
    /// Whether the one that is held has a variance is known at run time only.
    static constexpr bool has_variance = false;

    template <class Policy>
    requires(!std::same_as<Policy, AnyLikelihood>) AnyLikelihood(const Policy& likelihood)
        : held_(detail::hold_for_readers<S, Erased::template Calls, Erased::template Held>(likelihood)),
          data_(detail::data_kind_of<Policy>()) {
        require_options(likelihood);
    }

    [[nodiscard]] Layer layer(const Sample& sample) const { return {held_, sample}; }
    template <class Scope, class X>
    auto log_density(Scope& scope, const X& x, const detail::ErasedValues& output) const {
        return held_->template with<Scope>().log_density(scope, detail::erase_value(x), output);
    }
    template <class Scope>
    auto expectation(Scope& scope, const detail::ErasedValues& output) const {
        return held_->template with<Scope>().expectation(scope, output);
    }
    template <class Scope>
    auto sample(Scope& scope, const detail::ErasedValues& output) const {
        return held_->template with<Scope>().sample(scope, output);
    }
    /// The numbers that it is for.
    [[nodiscard]] DataKind data_kind() const { return data_; }
    /// C++ text, which `likelihood_registry` reads back.
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    std::shared_ptr<const Calls> held_;
    DataKind data_;
};

/// The likelihoods that are known by name: the library's, and those that a program adds.
template <class S = float>
Registry<AnyLikelihood<S>>& likelihood_registry() {
    static Registry<AnyLikelihood<S>> registry = [] {
        Registry<AnyLikelihood<S>> all("likelihood");
        all.template add<Gaussian>();
        all.template add<HeteroscedasticGaussian>();
        all.template add<FixedGaussian>();
        all.template add<StudentT>();
        all.template add<Laplace>();
        all.template add<Bernoulli>();
        all.template add<Categorical>();
        all.template add<Poisson>();
        return all;
    }();
    return registry;
}

}  // namespace untoward
