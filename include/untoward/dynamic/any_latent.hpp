// SPDX-License-Identifier: MIT
#pragma once

#include "../vae/correlated_latent.hpp"
#include "../vae/latent.hpp"
#include "erased.hpp"
#include "registry.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

struct ErasedLatent {
    template <class Scope>
    struct Calls {
        using Value = ReaderValue<Scope, Vec<>>;
        virtual ErasedValues posterior(Scope& scope, const Value& hidden) const = 0;
        virtual Value sample(Scope& scope, const ErasedValues& q) const = 0;
        virtual Value mean(Scope& scope, const ErasedValues& q) const = 0;
        virtual Value log_variance(Scope& scope, const ErasedValues& q) const = 0;
        virtual Value kl(Scope& scope, const ErasedValues& q) const = 0;
        virtual Value sampled_kl(Scope& scope, const ErasedValues& q, const Value& z) const = 0;
        virtual Value within_prior(Scope& scope, const Value& mean) const = 0;
        virtual Value prior(Scope& scope, Index batch) const = 0;
        virtual Value log_density(Scope& scope, const ErasedValues& q, const Value& z) const = 0;

    protected:
        ~Calls() = default;
    };
    template <class Scope, class Policy>
    struct Held final : Calls<Scope> {
        using Value = ReaderValue<Scope, Vec<>>;
        using Posterior =
            decltype(std::declval<const Policy&>()(std::declval<Scope&>(), std::declval<const Value&>()));

        static constexpr bool has_sampled_kl =
            requires(const Policy& latent, Scope& scope, const Posterior& q, const Value& z) {
            latent.sampled_kl(scope, q, z);
        };

        explicit Held(const Policy& l) : latent(l) {}
        ErasedValues posterior(Scope& scope, const Value& hidden) const override {
            return ErasedValues(latent(scope, hidden));
        }
        Value sample(Scope& scope, const ErasedValues& q) const override {
            return erase_value(latent.sample(scope, q.template as<Posterior>()));
        }
        Value mean(Scope& scope, const ErasedValues& q) const override {
            return erase_value(latent.mean(scope, q.template as<Posterior>()));
        }
        Value log_variance(Scope& scope, const ErasedValues& q) const override {
            return erase_value(latent.log_variance(scope, q.template as<Posterior>()));
        }
        Value kl(Scope& scope, const ErasedValues& q) const override {
            return erase_value(latent.kl(scope, q.template as<Posterior>()));
        }
        Value sampled_kl(Scope& scope, const ErasedValues& q, const Value& z) const override {
            if constexpr (has_sampled_kl) {
                return erase_value(latent.sampled_kl(scope, q.template as<Posterior>(), z));
            } else {
                fail("the latent ", io::policy_text(latent), " has no densities to weigh draws by");
            }
        }
        Value within_prior(Scope& scope, const Value& z) const override {
            return erase_value(latent.within_prior(scope, z));
        }
        Value prior(Scope& scope, Index batch) const override {
            if constexpr (requires { latent.prior(scope, batch); }) {
                return erase_value(latent.prior(scope, batch));
            } else {
                fail("the latent ", io::policy_text(latent), " has no prior to draw from");
            }
        }
        Value log_density(Scope& scope, const ErasedValues& q, const Value& z) const override {
            if constexpr (requires { q.template as<Posterior>().log_density(scope, z); }) {
                // Of every unit where it is, else one number.
                return erase_value(q.template as<Posterior>().log_density(scope, z));
            } else {
                fail("the posterior of the latent ", io::policy_text(latent), " has no density");
            }
        }
        const Policy& latent;
    };
};

// A posterior, for its maker to read.
template <class Scope>
struct AnyPosterior {
    ErasedValues values;
    const ErasedLatent::Calls<Scope>* calls;

    template <class Z>
    auto log_density(Scope& scope, const Z& z) const {
        return calls->log_density(scope, values, erase_value(z));
    }
};

}  // namespace detail

/// Any latent, of a run-time number of units, chosen at run time, for models with numbers of type S.
template <class S = float>
class AnyLatent {
    using Erased = detail::ErasedLatent;

public:
    Vec<> units;

    template <class Policy>
    requires(!std::same_as<Policy, AnyLatent>) AnyLatent(const Policy& latent)
        : units(latent.units.size()), held_(detail::hold_for_readers<S, Erased::Calls, Erased::Held>(latent)),
          deterministic_(detail::is_deterministic(latent)),
          has_sampled_kl_(Erased::Held<Run<S>, Policy>::has_sampled_kl) {
        require_options(latent);
    }

    template <class Scope, class X>
    auto operator()(Scope& scope, const X& hidden) const {
        const auto& calls = held_->template with<Scope>();
        return detail::AnyPosterior<Scope>{calls.posterior(scope, detail::erase_value(hidden)), &calls};
    }
    template <class Scope>
    auto sample(Scope& scope, const detail::AnyPosterior<Scope>& posterior) const {
        return posterior.calls->sample(scope, posterior.values);
    }
    template <class Scope>
    auto mean(Scope& scope, const detail::AnyPosterior<Scope>& posterior) const {
        return posterior.calls->mean(scope, posterior.values);
    }
    template <class Scope>
    auto log_variance(Scope& scope, const detail::AnyPosterior<Scope>& posterior) const {
        return posterior.calls->log_variance(scope, posterior.values);
    }
    template <class Scope>
    auto kl(Scope& scope, const detail::AnyPosterior<Scope>& posterior) const {
        return posterior.calls->kl(scope, posterior.values);
    }
    /// Throws Error where the latent that is held has none.
    template <class Scope, class Z>
    auto sampled_kl(Scope& scope, const detail::AnyPosterior<Scope>& posterior, const Z& z) const {
        return posterior.calls->sampled_kl(scope, posterior.values, detail::erase_value(z));
    }
    template <class Scope, class Z>
    auto within_prior(Scope& scope, const Z& mean) const {
        return held_->template with<Scope>().within_prior(scope, detail::erase_value(mean));
    }
    /// Throws Error where the latent that is held has no prior.
    template <class Scope>
    auto prior(Scope& scope, Index batch) const {
        return held_->template with<Scope>().prior(scope, batch);
    }
    /// Whether a draw from the one that is held is always the mean.
    [[nodiscard]] bool holds_deterministic() const { return deterministic_; }
    /// Whether the one that is held has densities to weigh draws by.
    [[nodiscard]] bool has_sampled_kl() const { return has_sampled_kl_; }
    /// C++ text, which `latent_registry` reads back.
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    std::shared_ptr<const detail::CallsOfReaders<Erased::Calls, S>> held_;
    bool deterministic_;
    bool has_sampled_kl_;
};

/// The latents that are known by name: the library's, and those that a program adds.
template <class S = float>
Registry<AnyLatent<S>>& latent_registry() {
    static Registry<AnyLatent<S>> registry = [] {
        Registry<AnyLatent<S>> all("latent");
        all.template add<Latent<>>();
        all.template add<CorrelatedLatent<>>();
        all.template add<Code<>>();
        return all;
    }();
    return registry;
}

}  // namespace untoward
