// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "../data/scaler.hpp"
#include "../vae/likelihood.hpp"
#include "registry.hpp"

namespace untoward UNTOWARD_SETTING {

/// Any scaler, chosen at run time, for numbers of type S.
template <class S = float>
class AnyScaler {
public:
    using Matrix = Eigen::Matrix<S, Dynamic, Dynamic>;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;

    template <class Policy>
    requires(!std::same_as<Policy, AnyScaler>) AnyScaler(const Policy& policy)
        : held_(std::make_shared<Held<Policy>>(policy)) {
        require_options(policy);
    }

    /// features x n -> Scaling
    template <class Derived>
    [[nodiscard]] Scaling<Vector> fit(const Eigen::DenseBase<Derived>& rows) const {
        return held_->fit(rows.derived());
    }
    /// Whether numbers of this kind come through it as that.
    [[nodiscard]] bool keeps(DataKind kind) const { return held_->keeps(kind); }
    /// C++ text, which `scaler_registry` reads back.
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual Scaling<Vector> fit(const Eigen::Ref<const Matrix>& rows) const = 0;
        [[nodiscard]] virtual bool keeps(DataKind kind) const = 0;
        [[nodiscard]] virtual std::string text() const = 0;
    };
    template <class Policy>
    struct Held final : Interface {
        explicit Held(const Policy& p) : policy(p) {}
        [[nodiscard]] Scaling<Vector> fit(const Eigen::Ref<const Matrix>& rows) const override {
            return policy.fit(rows);
        }
        [[nodiscard]] bool keeps(DataKind kind) const override { return detail::scaler_keeps<Policy>(kind); }
        [[nodiscard]] std::string text() const override { return io::policy_text(policy); }
        Policy policy;
    };

    std::shared_ptr<const Interface> held_;
};

/// The scalers that are known by name: the library's, and those that a program adds.
template <class S = float>
Registry<AnyScaler<S>>& scaler_registry() {
    static Registry<AnyScaler<S>> registry = [] {
        Registry<AnyScaler<S>> all("scaler");
        all.template add<RobustScaler>();
        all.template add<StandardScaler>();
        all.template add<UnitScaler>();
        all.template add<IdentityScaler>();
        return all;
    }();
    return registry;
}

}  // namespace untoward
