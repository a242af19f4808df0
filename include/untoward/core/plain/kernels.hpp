// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "../kernel_parameters.hpp"
#include "../philox.hpp"
#include "../self_check.hpp"

// What the kernels of core/kernels/ do, by plain loops over one number at a time: what they are compared with, and what
// takes the place of one that is faulty. Slow is right here, so functions are called, not drawn in.

namespace untoward UNTOWARD_SETTING::plain {

// A function of numbers at one place. `values` are its operands; of `change`, those that it leaves something in too.
template <class S>
using AtOnePlace = S (*)(const void* function, S* values);

template <class S>
void apply(AtOnePlace<S> at_one_place, const void* function, Index count, S* values,
           const ElementwiseColumns<S>& c) {
    bool add = c.add;
    for (Index j = 0; j < c.columns; ++j) {
        for (Index i = 0; i < c.rows; ++i) {
            for (Index k = 0; k < count; ++k) values[k] = c.in[k][i + j * c.in_stride[k]];
            S& to = c.out[i + j * c.out_stride];
            const S value = at_one_place(function, values);
            to = add ? to + value : value;
        }
        add = add || c.out_stride == 0;
    }
}

template <class S>
void change(AtOnePlace<S> at_one_place, const void* function, Index count, Index changed, S* values,
            const ChangedColumns<S>& c) {
    for (Index j = 0; j < c.columns; ++j) {
        for (Index i = 0; i < c.rows; ++i) {
            for (Index k = 0; k < count; ++k) values[k] = c.arrays[k][i + j * c.stride[k]];
            at_one_place(function, values);
            for (Index k = 0; k < changed; ++k) c.arrays[k][i + j * c.stride[k]] = values[k];
        }
    }
}

template <class S>
S total(AtOnePlace<S> at_one_place, const void* function, Index count, S* values, const S* const* in,
        Index n) {
    S sum = 0;
    for (Index i = 0; i < n; ++i) {
        for (Index k = 0; k < count; ++k) values[k] = in[k][i];
        sum += at_one_place(function, values);
    }
    return sum;
}

template <class S, bool Rectify>
void sum_columns(const ColumnSums<S>& c) {
    for (Index i = 0; i < c.rows; ++i) {
        S sum = 0;
        for (Index j = 0; j < c.columns; ++j) {
            S& d = c.d[i + j * c.d_stride];
            if (Rectify && !(c.y[i + j * c.y_stride] > 0)) d = 0;
            sum += d;
        }
        if (c.sum != nullptr) c.sum[i] = c.add ? c.sum[i] + sum : sum;
    }
}

template <class S>
void adam(const AdamVectors<S>& a) {
    const auto normal_or_zero = [](S x) { return std::abs(x) < (std::numeric_limits<S>::min)() ? S(0) : x; };
    for (Index i = 0; i < a.size; ++i) {
        const S g = a.gradient[i];
        a.first[i] = normal_or_zero(a.beta1 * a.first[i] + (1 - a.beta1) * g);
        a.second[i] = normal_or_zero(a.beta2 * a.second[i] + (1 - a.beta2) * (g * g));
        a.parameters[i] = a.keep * a.parameters[i] -
                          a.rate * a.first[i] / (std::sqrt(a.second[i]) * a.root_factor + a.epsilon);
    }
}

template <class S, bool Normal>
void noise(const NoiseColumns<S>& c) {
    for (Index j = 0; j < c.columns; ++j) {
        const std::uint32_t sample = c.samples != nullptr ? c.samples[j] : c.sample;
        for (Index i = 0; i < c.rows; i += 4) {
            const auto words =
                philox4x32({static_cast<std::uint32_t>(i / 4), sample, c.epoch, detail::noise_domain}, c.key);
            S values[4];
            for (std::size_t k = 0; k < 4; k += 2) {
                if constexpr (Normal) {
                    detail::normal_pair(words.data() + k, values + k);
                } else {
                    values[k] = detail::uniform_from<S>(words[k]);
                    values[k + 1] = detail::uniform_from<S>(words[k + 1]);
                }
            }
            for (Index k = 0; k < 4 && i + k < c.rows; ++k) c.out[i + k + j * c.stride] = values[k];
        }
    }
}

inline void stream_blocks(const StreamBlocks& s) {
    for (Index i = 0; i < StreamBlocks::count; ++i) {
        const std::uint64_t number = s.first + static_cast<std::uint64_t>(i);
        const auto words =
            philox4x32({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), s.epoch,
                        detail::stream_domain},
                       s.key);
        for (std::size_t k = 0; k < 4; ++k) s.to[static_cast<std::size_t>(4 * i) + k] = words[k];
    }
}

template <class S, class Code>
void unpack(const UnpackedRows<S, Code>& u) {
    for (Index i = 0; i < u.rows; ++i) {
        const S scale = u.scales != nullptr ? static_cast<S>(u.scales[i]) : S(1);
        for (Index k = 0; k < u.columns; ++k)
            u.to[i * u.columns + k] = static_cast<S>(u.codes[i * u.stride + k]) * scale;
    }
}

inline void multiply(const TileProduct& t) {
    for (Index j = 0; j < t.columns; ++j) {
        for (Index i = 0; i < t.rows; ++i) {
            float sum = t.bias != nullptr ? t.bias[i] : 0;
            for (Index k = 0; k < t.depth; ++k) {
                sum += t.a[t.a_is_row_major ? i * t.a_stride + k : i + k * t.a_stride] *
                       t.b[k * t.b_step + j * t.b_column];
            }
            float& to = t.c[i + j * t.c_stride];
            if (t.add) sum += to;
            to = t.rectify && sum < 0 ? 0 : sum;
        }
    }
}

template <class Number>
void rows_times(const RowsTimes<Number>& p) {
    for (Index i = 0; i < p.rows; ++i) {
        float sum = 0;
        for (Index k = 0; k < p.depth; ++k) sum += static_cast<float>(p.a[i * p.depth + k]) * p.x[k];
        if (p.scales != nullptr) sum *= static_cast<float>(p.scales[i]);
        if (p.bias != nullptr) sum += p.bias[i];
        if (p.add) sum += p.y[i];
        p.y[i] = p.rectify && sum < 0 ? 0 : sum;
    }
}

}  // namespace untoward::plain
