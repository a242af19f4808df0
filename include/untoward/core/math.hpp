// SPDX-License-Identifier: MIT
#pragma once

// Elementary functions of one number, float or double, written so that a loop over them becomes vector
// instructions at plain -O2 with any instruction set: no branch, no call, no table, every selection made in
// bits (a conditional would let the compiler move work behind a branch, which it then cannot vectorise).
//
// The series are the textbook ones, cut off and economised (Lanczos: their last terms replaced by Chebyshev
// polynomials) at compile time. Errors are the largest found against the C library in double or long double,
// rounded up: in float over every number from 2^-31 to 2^9 and a sixteenth of the others, in double over tens of
// millions, of all exponents and where errors are largest. They hold with and without contraction of a * b + c, which
// changes the last bit. Nothing depends on the width of vectors.
// Subnormal arguments and results are right to half of the smallest step besides.

#include <concepts>
#include <cstdint>
#include <limits>

#include "../config.hpp"

namespace untoward UNTOWARD_SETTING::math {

namespace detail {

template <class S>
struct Format;

// ln2_head has so few bits that its product with any exponent is exact. Beyond `exp_high` and `exp_low` the
// exponential is infinite and zero, below `expm1_low` it is nothing beside one.
template <>
struct Format<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa_bits = 23;
    static constexpr float ln2_head = 0x0.b172p0f, ln2_tail = 0x0.17f7d1cf79abcp-16f;
    static constexpr float exp_high = 89, exp_low = -104, expm1_low = -18;
    static constexpr int exp_terms = 5, log_terms = 10, atanh_terms = 0, tanh_terms = 6;
    static constexpr float tanh_small = 0.8125f;
};
template <>
struct Format<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52;
    static constexpr double ln2_head = 0x0.b17217f7d1cp0, ln2_tail = 0x0.f79abc9e3b39803f2f6afp-44;
    static constexpr double exp_high = 710, exp_low = -746, expm1_low = -39;
    static constexpr int exp_terms = 10, log_terms = 0, atanh_terms = 8, tanh_terms = 11;
    static constexpr double tanh_small = 0.5625;
};

template <std::floating_point S>
using Bits = typename Format<S>::Bits;

template <std::floating_point S>
UNTOWARD_INLINE Bits<S> bits(S x) {
    return __builtin_bit_cast(Bits<S>, x);
}
template <std::floating_point S>
UNTOWARD_INLINE S number(Bits<S> x) {
    return __builtin_bit_cast(S, x);
}

template <std::floating_point S>
inline constexpr Bits<S> sign_bit = Bits<S>{1} << (std::numeric_limits<Bits<S>>::digits - 1);

/// c ? a : b, both computed.
template <std::floating_point S>
UNTOWARD_INLINE S select(bool c, S a, S b) {
    const Bits<S> mask = Bits<S>{0} - static_cast<Bits<S>>(c);
    return number<S>((bits(a) & mask) | (bits(b) & ~mask));
}

template <std::floating_point S>
UNTOWARD_INLINE S magnitude(S x) {
    return number<S>(bits(x) & ~sign_bit<S>);
}
/// x with the sign of s turned onto it.
template <std::floating_point S>
UNTOWARD_INLINE S with_sign_of(S x, S s) {
    return number<S>(bits(x) ^ (bits(s) & sign_bit<S>));
}
/// A NaN stays one.
template <std::floating_point S>
UNTOWARD_INLINE S at_most(S x, S high) {
    return select(high < x, high, x);
}
template <std::floating_point S>
UNTOWARD_INLINE S at_least(S x, S low) {
    return select(x < low, low, x);
}

template <std::floating_point S>
UNTOWARD_INLINE S within(S x, S limit) {
    return at_least(at_most(x, limit), -limit);
}

/// max(x, 0), of either sign for a NaN.
template <std::floating_point S>
UNTOWARD_INLINE S positive_part(S x) {
    return number<S>(bits(x) & ((bits(x) >> (std::numeric_limits<Bits<S>>::digits - 1)) - 1));
}

/// Coefficients of a polynomial, the constant first.
template <class S, int Terms>
struct Series {
    S c[Terms];
};

/// c[First] + z (c[First + 1] + z (...)).
template <int First = 0, std::floating_point S, int Terms>
UNTOWARD_INLINE S horner(const Series<S, Terms>& series, S z) {
    if constexpr (First + 1 == Terms) {
        return series.c[First];
    } else {
        return series.c[First] + z * horner<First + 1>(series, z);
    }
}

/// The first `Terms` coefficients of the polynomial of `Step * (Terms - 1)`-th degree in t next to `Long`
/// terms of a power series on [-h, h], taken at every Step-th power: a series in t^Step.
template <class S, int Terms, int Step, int Long, class Term>
constexpr Series<S, Terms> economised(double h, Term term) {
    constexpr int degree = Step * (Long - 1);
    double a[degree + 1] = {};  // of (t / h)^k
    double power = 1;
    for (int k = 0; k <= degree; ++k, power *= h) {
        if (k % Step == 0) a[k] = term(k / Step) * power;
    }
    for (int n = degree; n > Step * (Terms - 1); --n) {
        // Take away a[n] / 2^(n - 1) times the n-th Chebyshev polynomial, which is at most one in size.
        double factor = a[n];
        for (int k = n; k >= 0; k -= 2) {
            a[k] -= factor;
            factor *= -1.0 * k * (k - 1) / (4.0 * ((n + k) / 2 - 1) * ((n - k) / 2 + 1));
        }
    }
    Series<S, Terms> result{};
    power = 1;
    for (int k = 0; k <= Step * (Terms - 1); ++k, power *= h) {
        if (k % Step == 0) result.c[k / Step] = static_cast<S>(a[k] / power);
    }
    return result;
}

/// (e^r - 1 - r) / r^2 on half of ln 2 either side.
template <class S>
inline constexpr auto exp_series = economised<S, Format<S>::exp_terms, 1, 20>(0.3470, [](int k) {
    double factorial = 1;
    for (int i = 2; i <= k + 2; ++i) factorial *= i;
    return 1 / factorial;
});
/// (log(1 + f) - f + f^2 / 2) / f^3 on a third either side.
template <class S>
inline constexpr auto log_series = economised<S, Format<S>::log_terms, 1, 44>(0.33334, [](int k) {
    return (k % 2 == 0 ? 1.0 : -1.0) / (k + 3);
});
/// (atanh(s) / s - 1) / s^2 to s = 1/5, which is f / (2 + f) for f = 1/2.
template <class S>
inline constexpr auto atanh_series = economised<S, Format<S>::atanh_terms, 2, 20>(0.2, [](int k) {
    return 1.0 / (2 * k + 3);
});

/// p / q = tanh(x / (2 Part)) by seven terms of Gauss's continued fraction, y / (1 + y^2 / (3 + ...)), for |x| / Part up
/// to 9. tanh(x / Part) = 2 p q / (q^2 + p^2) damps the errors of the fraction the more the larger x.
template <std::floating_point S>
struct Fraction {
    S p;
    S q;
};
template <int Part, std::floating_point S>
UNTOWARD_INLINE Fraction<S> half_tanh(S x) {
    constexpr S part = S(1) / (Part * Part);  // a power of two
    const S z = x * x;
    return {x * (S(8648640) / Part + z * (S(277200) * part / Part + z * (S(1512) * part * part / Part +
                                                                         z * (part * part * part / Part)))),
            S(17297280) +
                z * (S(1995840) * part + z * (S(25200) * part * part + z * (S(56) * part * part * part)))};
}

/// (tanh(x) / x - 1) / x^2
template <class S>
inline constexpr auto tanh_series =
    economised<S, Format<S>::tanh_terms, 2, 24>(static_cast<double>(Format<S>::tanh_small), [](int k) {
        double c[32] = {1};  // tanh' = 1 - tanh^2
        for (int i = 1; i <= k + 1; ++i) {
            for (int j = 0; j < i; ++j) c[i] -= c[j] * c[i - 1 - j] / (2 * i + 1);
        }
        return c[k + 1];
    });

/// x + rest = n ln2 + r + tail, |r| <= ln2 / 2.
template <std::floating_point S>
struct Reduced {
    Bits<S> n;  ///< n in the low bits, negative or not; above its sign others that `power` shifts out
    S r;
    S tail;  ///< what r lost in rounding
};
/// `sum` is x + rest, rounded.
template <std::floating_point S>
UNTOWARD_INLINE Reduced<S> reduced(S sum, S x, S rest) {
    using F = Format<S>;
    // Numbers of this size have no digits after the point.
    constexpr S round = static_cast<S>(Bits<S>{3} << (F::mantissa_bits - 1));
    const S shifted = sum * static_cast<S>(0x1.71547652b82fep0) + round;
    const S n = shifted - round;
    const S head = x - n * F::ln2_head;
    const S tail = n * F::ln2_tail - rest;
    const S r = head - tail;
    return {bits(shifted), r, (head - r) - tail};
}
template <std::floating_point S>
UNTOWARD_INLINE Reduced<S> reduced(S x) {
    return reduced(x, x, S(0));
}

/// one * 2^n, a normal number.
template <std::floating_point S>
UNTOWARD_INLINE S power(S one, Bits<S> n) {
    return number<S>(bits(one) + (n << Format<S>::mantissa_bits));
}

/// e^x for x from exp_low to exp_high, or a NaN.
template <std::floating_point S>
UNTOWARD_INLINE S exp_within(S x) {
    const auto [n, r, tail] = reduced(x);
    const S p = S(1) + r * (S(1) + r * horner(exp_series<S>, r));
    // In two steps: 2^n need not be a normal number.
    const Bits<S> half = n >> 1;
    return p * power(S(1), half) * power(S(1), n - half);
}

/// one * (e^x - 1) for x from expm1_low to exp_high, or a NaN; `one` is a power of two.
template <std::floating_point S>
UNTOWARD_INLINE S expm1_within(S x, S one) {
    const auto [n, r, tail] = reduced(x);
    const S scale = power(one, n);
    const S curve = r * r * horner(exp_series<S>, r) + tail;
    return ((scale - one) + scale * r) + scale * curve;
}

/// log(1 + f) - f for |f| <= 1/3.
template <std::floating_point S>
UNTOWARD_INLINE S log1p_curve(S f) {
    if constexpr (Format<S>::log_terms != 0) {
        return f * f * (f * horner(log_series<S>, f) - S(0.5));
    } else {
        // log(1 + f) = 2 atanh(s), and 2 s = f - s f.
        const S s = f / (S(2) + f);
        const S z = s * s;
        return s * ((z + z) * horner(atanh_series<S>, z) - f);
    }
}

/// x = 2^exponent (1 + f) with 1 + f from 2/3 to 4/3, for x positive and normal.
template <std::floating_point S>
struct Split {
    Bits<S> biased;
    S f;
};
template <std::floating_point S>
UNTOWARD_INLINE Split<S> split(S x) {
    constexpr Bits<S> one = __builtin_bit_cast(Bits<S>, S(1));
    constexpr Bits<S> two_thirds = __builtin_bit_cast(Bits<S>, static_cast<S>(2.0 / 3));
    constexpr Bits<S> mantissa = (Bits<S>{1} << Format<S>::mantissa_bits) - 1;
    const Bits<S> moved = bits(x) + (one - two_thirds);
    return {moved >> Format<S>::mantissa_bits, number<S>((moved & mantissa) + two_thirds) - S(1)};
}

/// exponent ln2 + log(1 + f) + tail; `biased` as `split` gives it, `bias` what to take off.
template <std::floating_point S>
UNTOWARD_INLINE S log_of_parts(Bits<S> biased, S bias, S f, S tail) {
    using F = Format<S>;
    // As an integer's conversion, which SSE2 and AVX2 do not have in 64 bits.
    constexpr S implied = static_cast<S>(Bits<S>{1} << F::mantissa_bits);
    const S exponent = number<S>(biased | bits(implied)) - (implied + bias);
    return exponent * F::ln2_head + (f + (log1p_curve(f) + (exponent * F::ln2_tail + tail)));
}

/// `result` where 0 < x < infinity, the logarithm of x elsewhere.
template <std::floating_point S>
UNTOWARD_INLINE S log_with_edges(S x, S result) {
    constexpr S infinity = std::numeric_limits<S>::infinity();
    const S below = select(x == S(0), -infinity, std::numeric_limits<S>::quiet_NaN());
    return select(x > S(0), select(x < infinity, result, x), below);
}

template <std::floating_point S>
inline constexpr S bias = static_cast<S>(std::numeric_limits<S>::max_exponent - 1);

}  // namespace detail

/// |x|
template <std::floating_point S>
UNTOWARD_INLINE S abs(S x) {
    return detail::magnitude(x);
}

/// x^2
template <std::floating_point S>
UNTOWARD_INLINE S square(S x) {
    return x * x;
}

/// The square root, rounded right. NaN below zero, -0 for -0.
template <std::floating_point S>
UNTOWARD_INLINE S sqrt(S x) {
    if constexpr (std::numeric_limits<S>::digits <= 24) {
        return __builtin_sqrtf(x);
    } else {
        return __builtin_sqrt(x);
    }
}

/// e^x. Largest error 1.3 ulp. Infinite from where the result is no number, gradually zero.
template <std::floating_point S>
UNTOWARD_CALLED_IF_SMALL S exp(S x) {
    using F = detail::Format<S>;
    return detail::exp_within(detail::at_least(detail::at_most(x, F::exp_high), F::exp_low));
}

/// e^x - 1. Largest error 1.5 ulp. -0 for -0, -1 for -infinity.
template <std::floating_point S>
UNTOWARD_INLINE S expm1(S x) {
    using F = detail::Format<S>;
    // Half of it: 2^n may be more than the largest number where the result is not.
    const S half =
        detail::expm1_within(detail::at_least(detail::at_most(x, F::exp_high), F::expm1_low), S(0.5));
    return detail::select(abs(x) < std::numeric_limits<S>::epsilon() / 4, x, half + half);
}

/// log(x), for subnormal x as well. Largest error 1.1 ulp. -infinity for zeros, NaN below.
template <std::floating_point S>
UNTOWARD_CALLED_IF_SMALL S log(S x) {
    constexpr int up = detail::Format<S>::mantissa_bits + 1;
    constexpr S raise = static_cast<S>(detail::Bits<S>{1} << up);
    const bool subnormal = x < (std::numeric_limits<S>::min)();
    const auto [biased, f] = detail::split(x * detail::select(subnormal, raise, S(1)));
    const S bias = detail::select(subnormal, detail::bias<S> + up, detail::bias<S>);
    return detail::log_with_edges(x, detail::log_of_parts(biased, bias, f, S(0)));
}

/// log(1 + x). Largest error 1.3 ulp. -infinity for -1, NaN below, -0 for -0.
template <std::floating_point S>
UNTOWARD_INLINE S log1p(S x) {
    const S u = S(1) + x;
    const S added = u - S(1);
    const S lost = (S(1) - (u - added)) + (x - added);  // 1 + x = u + lost, whichever is larger
    const auto [biased, head] = detail::split(u);
    // In the scale of f; where u is large nothing was lost that could be seen.
    constexpr auto one = static_cast<detail::Bits<S>>(std::numeric_limits<S>::max_exponent - 1);
    const S tail = detail::select(x < S(1) / std::numeric_limits<S>::epsilon(),
                                  lost * detail::power(S(1), one - biased), S(0));
    const S f = head + tail;
    const S result = detail::log_of_parts(biased, detail::bias<S>, f, (head - f) + tail);
    return detail::select(abs(x) < std::numeric_limits<S>::epsilon() / 4, x,
                          detail::log_with_edges(u, result));
}

/// The logistic function 1 / (1 + e^-x). Largest error 2.5 ulp, in the lower tail too, which goes to zero
/// gradually.
template <std::floating_point S>
UNTOWARD_INLINE S sigmoid(S x) {
    const S e = detail::exp_within(detail::at_least(-abs(x), detail::Format<S>::exp_low));
    return detail::select(x < S(0), e, S(1)) / (S(1) + e);
}

/// log(1 + e^x). Largest error 2.3 ulp, in the lower tail too, which goes to zero gradually.
template <std::floating_point S>
UNTOWARD_INLINE S softplus(S x) {
    using F = detail::Format<S>;
    const S e = detail::exp_within(detail::at_least(-abs(x), F::exp_low));
    // 1 + e, or twice 1 + f.
    const bool large = e > static_cast<S>(1.0 / 3);
    const S f = detail::select(large, S(0.5) * e - S(0.5), e);
    const S head = detail::select(large, F::ln2_head, S(0));
    const S tail = detail::select(large, F::ln2_tail, S(0));
    const S log = head + (f + (detail::log1p_curve(f) + tail));
    return log + detail::positive_part(x);
}

/// tanh(x). Largest error 2.7 ulp in float, 1.6 in double; never beyond 1. -0 for -0.
template <std::floating_point S>
UNTOWARD_INLINE S tanh(S x) {
    const S size = abs(x);
    S large;
    if constexpr (std::numeric_limits<S>::digits <= 24) {
        const auto [p, q] = detail::half_tanh<1>(detail::at_most(size, S(9.02)));
        large = S(1) - (q - p) * (q - p) / (q * q + p * p);
    } else {
        const auto [n, r, tail] = detail::reduced(S(-2) * detail::at_most(size, S(20)));
        const S e = detail::power(S(1), n) * (S(1) + (r + r * r * detail::horner(detail::exp_series<S>, r)));
        large = S(1) - (e + e) / (S(1) + e);
    }
    // Near zero by the power series.
    const S z = size * size;
    const S small = size + size * (z * detail::horner(detail::tanh_series<S>, z));
    return detail::with_sign_of(detail::select(size < detail::Format<S>::tanh_small, small, large), x);
}

/// sigmoid(x) as the share of something: in float to 1.4e-7, where `sigmoid` has relative precision in the lower tail
/// too, in two thirds of the time. Between 0 and 1.
template <std::floating_point S>
UNTOWARD_INLINE S gate_sigmoid(S x) {
    if constexpr (std::numeric_limits<S>::digits <= 24) {
        const auto [p, q] = detail::half_tanh<2>(detail::within(x, S(16)));
        return S(0.5) + p * q / (q * q + p * p);
    } else {
        return sigmoid(x);
    }
}

/// tanh(x) beside such: in float to 2.4e-7 and to 5.6 ulp, near zero too, in two thirds of the time. Never beyond 1.
template <std::floating_point S>
UNTOWARD_INLINE S gate_tanh(S x) {
    if constexpr (std::numeric_limits<S>::digits <= 24) {
        const auto [p, q] = detail::half_tanh<1>(detail::within(x, S(8)));
        return (p + p) * q / (q * q + p * p);
    } else {
        return tanh(x);
    }
}

}  // namespace untoward::math
