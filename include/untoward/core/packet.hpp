// SPDX-License-Identifier: MIT
#pragma once

// Fused loops over contiguous arrays, one packet of the processor at a time: for functions that would read
// and write the same arrays again and again as Eigen expressions. What is left at the end of an array is
// computed as a packet too, so a result depends neither on an address nor on a place in the array.

#include <algorithm>

#include "../config.hpp"

namespace untoward::packet {

/// As many numbers as the processor computes at once: a number where it has no packets. Has + - * /.
template <class S>
using Packet = typename Eigen::internal::packet_traits<S>::type;
template <class S>
inline constexpr Index size = Eigen::internal::packet_traits<S>::size;

template <class S>
UNTOWARD_INLINE Packet<S> load(const S* from) {
    return Eigen::internal::ploadu<Packet<S>>(from);
}
template <class S>
UNTOWARD_INLINE void store(S* to, const Packet<S>& x) {
    Eigen::internal::pstoreu(to, x);
}
template <class S>
UNTOWARD_INLINE Packet<S> same(S x) {
    return Eigen::internal::pset1<Packet<S>>(x);
}

namespace detail {

template <class S>
struct Whole {
    UNTOWARD_INLINE Packet<S> load(const S* from) const { return packet::load(from); }
    UNTOWARD_INLINE void store(S* to, const Packet<S>& x) const { packet::store(to, x); }
};
template <class S>
struct Part {
    Index count;

    Packet<S> load(const S* from) const {
        S numbers[size<S>] = {};
        std::copy_n(from, count, numbers);
        return packet::load(numbers);
    }
    void store(S* to, const Packet<S>& x) const {
        S numbers[size<S>];
        packet::store(numbers, x);
        std::copy_n(numbers, count, to);
    }
};

// function(x) of each number.
template <class S, class Function>
Packet<S> one_by_one(const Packet<S>& x, const Function& function) {
    S numbers[size<S>];
    store(numbers, x);
    for (S& number : numbers) number = function(number);
    return load(numbers);
}

}  // namespace detail

/// Calls f(i, access) for the packets of arrays of n numbers: `access.load(array + i)` and
/// `access.store(array + i, packet)`.
template <class S, class Function>
UNTOWARD_INLINE void for_each(Index n, const Function& function) {
    Index i = 0;
    for (; i + size<S> <= n; i += size<S>) function(i, detail::Whole<S>{});
    if (i < n) function(i, detail::Part<S>{n - i});
}

/// 1 / (1 + exp(-x))
template <class S>
UNTOWARD_INLINE Packet<S> sigmoid(const Packet<S>& x) {
    using Traits = Eigen::internal::packet_traits<S>;
    const Eigen::internal::scalar_logistic_op<S> function;
    if constexpr (size<S> == 1 || (Traits::HasExp && Traits::HasDiv)) {
        return function.packetOp(x);
    } else {
        return detail::one_by_one<S>(x, function);
    }
}
/// tanh(x)
template <class S>
UNTOWARD_INLINE Packet<S> tanh(const Packet<S>& x) {
    const Eigen::internal::scalar_tanh_op<S> function;
    if constexpr (size<S> == 1) {
        return function(x);
    } else if constexpr (Eigen::internal::packet_traits<S>::HasTanh) {
        return function.packetOp(x);
    } else {
        return detail::one_by_one<S>(x, function);
    }
}

}  // namespace untoward::packet
