// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <tuple>
#include <type_traits>

#include "../autodiff/count.hpp"
#include "../autodiff/initialiser.hpp"
#include "../autodiff/record.hpp"
#include "../autodiff/run.hpp"
#include "../io/policy_text.hpp"

// What type erasure over readers needs: for every reader one type of value, whatever a layer's own types are.

namespace untoward UNTOWARD_SETTING::detail {

// A value of a reader with all extents known at run time.
template <class Scope, class Sample>
struct ReaderValueOf {
    using type = Symbol<Sample>;
};
template <class S, class Sample>
struct ReaderValueOf<Run<S>, Sample> {
    using type = Tensor<const S, Sample>;
};
template <class S, class Sample>
struct ReaderValueOf<Record<S>, Sample> {
    using type = Var<S, Sample>;
};
template <class Scope, class Sample>
using ReaderValue = typename ReaderValueOf<Scope, Sample>::type;

template <class Value>
constexpr auto erase_value(const Value& value) {
    return value.erased();
}
template <class Sample>
constexpr auto erase_value(const Symbol<Sample>& value) {
    const auto shape = value.shape().erased();
    return Symbol<std::remove_const_t<decltype(shape)>>(shape, value.batch(), value.address(),
                                                        value.needs_gradient());
}

// A struct of values that only its maker can read: a posterior, or a distribution over the data.
class ErasedValues {
public:
    template <class Values>
    requires(!std::is_same_v<Values, ErasedValues>) explicit ErasedValues(const Values& values) {
        static_assert(sizeof(Values) <= capacity && alignof(Values) <= alignof(std::max_align_t),
                      "untoward: too many values for run-time choice");
        static_assert(std::is_trivially_copyable_v<Values> && std::is_trivially_destructible_v<Values>);
        new (static_cast<void*>(bytes_)) Values(values);
    }
    template <class Values>
    [[nodiscard]] const Values& as() const {
        return *std::launder(reinterpret_cast<const Values*>(bytes_));
    }

private:
    static constexpr std::size_t capacity = 512;
    alignas(std::max_align_t) std::byte bytes_[capacity];
};

// A policy that models are made of, behind one interface per reader: `Calls<Scope>` has the virtual functions
// for one reader, `Held<Scope, Policy>` makes them of a policy.
template <template <class> class Calls, class... Scopes>
class ErasedCalls {
public:
    virtual ~ErasedCalls() = default;
    [[nodiscard]] virtual std::string text() const = 0;
    template <class Scope>
    [[nodiscard]] const Calls<Scope>& with() const {
        return *std::get<const Calls<Scope>*>(table_);
    }

protected:
    ErasedCalls() = default;
    ErasedCalls(const ErasedCalls&) = delete;
    ErasedCalls& operator=(const ErasedCalls&) = delete;

    std::tuple<const Calls<Scopes>*...> table_;
};

template <class Policy, template <class> class Calls, template <class, class> class Held, class... Scopes>
class HeldCalls final : public ErasedCalls<Calls, Scopes...> {
public:
    explicit HeldCalls(const Policy& policy) : policy_(policy), held_(Held<Scopes, Policy>(policy_)...) {
        this->table_ = {&std::get<Held<Scopes, Policy>>(held_)...};
    }
    [[nodiscard]] std::string text() const override { return io::policy_text(policy_); }

private:
    Policy policy_;
    std::tuple<Held<Scopes, Policy>...> held_;
};

// The readers of models with numbers of type S.
template <template <class> class Calls, class S>
using CallsOfReaders = ErasedCalls<Calls, Describe, Initialise<S>, Counter<S>, Run<S>, Record<S>>;

template <class S, template <class> class Calls, template <class, class> class Held, class Policy>
std::shared_ptr<const CallsOfReaders<Calls, S>> hold_for_readers(const Policy& policy) {
    return std::make_shared<
        const HeldCalls<Policy, Calls, Held, Describe, Initialise<S>, Counter<S>, Run<S>, Record<S>>>(policy);
}

}  // namespace untoward::detail
