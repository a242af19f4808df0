// SPDX-License-Identifier: MIT
#pragma once

// Every matrix product of the library goes through these functions and nowhere else: one place to make fast,
// one set of instantiations to compile. Weights are out x in, row-major and packed; activations are one
// sample per column at any stride. `matrices` is for two matrices of the same kind, as attention has them.
//
// In float, on a processor with AVX2 or AVX-512, they are the kernels of kernels.hpp, which take up to 100 KB of the
// stack (packed weights 32 KB more). Elsewhere they call Eigen's below its expression templates. That compiles in
// a fraction of the time, and it lets the blocking be chosen here: Eigen packs blocks on the stack up to
// EIGEN_STACK_ALLOCATION_LIMIT and on the heap beyond it, and these blocks always stay within. So no product of any
// size allocates memory, and none is split over threads.

#include <algorithm>
#include <type_traits>

#include "kernels.hpp"

#ifdef UNTOWARD_PLAIN
#include "plain/product.hpp"
#endif

namespace untoward UNTOWARD_SETTING::product {

/// A column-major matrix at any stride: what products read and write.
template <class T>
struct Columns {
    T* data;
    Index rows;
    Index cols;
    Index stride;

    constexpr operator Columns<const T>() const requires(!std::is_const_v<T>) {
        return {data, rows, cols, stride};
    }
    [[nodiscard]] constexpr T* column(Index j) const { return data + j * stride; }
    [[nodiscard]] constexpr Columns middle(Index begin, Index n) const {
        return {column(begin), rows, n, stride};
    }
};

namespace detail {

/// Blocks that fit what Eigen takes from the stack, and usual caches: those of this machine would decide how sums are
/// cut, and with it their last bits.
template <class S>
class Blocking : public Eigen::internal::level3_blocking<S, S> {
public:
    Blocking(Index rows, Index cols, Index depth) {
        constexpr Index bytes = EIGEN_STACK_ALLOCATION_LIMIT > 0 ? EIGEN_STACK_ALLOCATION_LIMIT : 131072;
        constexpr Index limit = bytes / static_cast<Index>(sizeof(S));
        this->m_kc = at_most(depth, std::min<Index>(256, limit / 16));
        this->m_mc = at_most(rows, limit / this->m_kc);
        this->m_nc = at_most(cols, limit / this->m_kc);
    }

private:
    // Whole register tiles where possible.
    static Index at_most(Index n, Index limit) {
        if (n <= limit) return n;
        return limit >= 16 ? limit / 16 * 16 : std::max<Index>(limit, 1);
    }
};

/// y += A B; each of A and B is row-major where it says so.
template <class S, int OrderA, int OrderB>
void add_product(Index rows, Index cols, Index depth, const S* a, Index stride_a, const S* b, Index stride_b,
                 S* y, Index stride_y) {
    Blocking<S> blocking(rows, cols, depth);
    Eigen::internal::general_matrix_matrix_product<Index, S, OrderA, false, S, OrderB, false, Eigen::ColMajor,
                                                   1>::run(rows, cols, depth, a, stride_a, b, stride_b, y, 1,
                                                           stride_y, S(1), blocking, nullptr);
}

/// y += A x for one packed x, y at any stride; A is row-major.
template <class S>
void add_rows_times(Index rows, Index cols, const S* a, Index stride_a, const S* x, S* y, Index stride_y) {
    using Matrix = Eigen::internal::const_blas_data_mapper<S, Index, Eigen::RowMajor>;
    using Vector = Eigen::internal::const_blas_data_mapper<S, Index, Eigen::ColMajor>;
    Eigen::internal::general_matrix_vector_product<Index, S, Matrix, Eigen::RowMajor, false, S, Vector,
                                                   false>::run(rows, cols, Matrix(a, stride_a), Vector(x, 1),
                                                               y, stride_y, S(1));
}

/// y += A x for one packed y, x at any stride; A is column-major.
template <class S>
void add_columns_times(Index rows, Index cols, const S* a, Index stride_a, const S* x, Index stride_x, S* y) {
    using Matrix = Eigen::internal::const_blas_data_mapper<S, Index, Eigen::ColMajor>;
    using Vector = Eigen::internal::const_blas_data_mapper<S, Index, Eigen::RowMajor>;
    Eigen::internal::general_matrix_vector_product<Index, S, Matrix, Eigen::ColMajor, false, S, Vector,
                                                   false>::run(rows, cols, Matrix(a, stride_a),
                                                               Vector(x, stride_x), y, 1, S(1));
}

#ifdef UNTOWARD_PLAIN
inline constexpr bool has_plain_loops = true;
#else
inline constexpr bool has_plain_loops = false;
#endif

/// Whether packing would cost more than the product itself.
constexpr bool is_small(Index rows, Index cols, Index depth) {
    return rows + cols + depth < 20;
}

/// y += bias, and what is then negative becomes zero where `rectify`.
template <class S>
void finish(const Columns<S>& y, const S* bias, bool rectify) {
    using Array = Eigen::Array<S, Dynamic, 1>;
    for (Index j = 0; j < y.cols; ++j) {
        Eigen::Map<Array> column(y.column(j), y.rows);
        if (bias != nullptr) column += Eigen::Map<const Array>(bias, y.rows);
        if (rectify) column = (column < S(0)).select(S(0), column);
    }
}

/// y = 0 where it is not added to. Whether there is anything to add.
template <class S>
bool begin(const Columns<S>& y, Index depth, bool accumulate) {
    if (!accumulate) {
        for (Index j = 0; j < y.cols; ++j) std::fill_n(y.column(j), y.rows, S(0));
    }
    return y.rows > 0 && y.cols > 0 && depth > 0;
}

/// c = a b by the processor's kernels, where there are any; `t` has all but c. Whether there are.
inline bool multiply_by_kernels(TileProduct t, const Columns<float>& c) {
    const auto multiply = multiply_kernel();
    if (multiply == nullptr || c.rows == 0 || c.cols == 0 || t.depth == 0) return false;
    t.rows = c.rows;
    t.columns = c.cols;
    t.c = c.data;
    t.c_stride = c.stride;
    multiply(t);
    return true;
}

/// y = W x + bias, or y += W x + bias, column by column, where there are kernels and so few columns that turning the
/// weights costs more than it saves. Whether that is so.
template <class Number>
bool multiply_few_columns(const Columns<float>& y, const Number* weight, const BFloat16* scales,
                          const Columns<const float>& x, bool accumulate, const float* bias, bool rectify) {
    constexpr Index few = std::is_same_v<Number, float> ? 3 : 8;  // codes become numbers first, too
    const auto rows_times = rows_times_kernel<Number>();
    if (rows_times == nullptr || y.cols >= few || x.rows == 0) return false;
    for (Index j = 0; j < y.cols; ++j)
        rows_times({y.rows, x.rows, weight, scales, x.column(j), y.column(j), accumulate, bias, rectify});
    return true;
}

/// y += W x
template <class S>
void add_forward(const Columns<S>& y, const S* weight, const Columns<const S>& x) {
    const Index depth = x.rows;
    if (y.cols == 1) {
        add_rows_times<S>(y.rows, depth, weight, depth, x.data, y.data, 1);
    } else if (y.rows == 1) {
        add_rows_times<S>(y.cols, depth, x.data, x.stride, weight, y.data, y.stride);
    } else if (is_small(y.rows, y.cols, depth)) {
        for (Index j = 0; j < y.cols; ++j) {
            for (Index i = 0; i < y.rows; ++i) {
                S sum = 0;
                for (Index k = 0; k < depth; ++k) sum += weight[i * depth + k] * x.column(j)[k];
                y.column(j)[i] += sum;
            }
        }
    } else {
        add_product<S, Eigen::RowMajor, Eigen::ColMajor>(y.rows, y.cols, depth, weight, depth, x.data,
                                                         x.stride, y.data, y.stride);
    }
}

/// dx += W' dy
template <class S>
void add_backward_input(const Columns<S>& dx, const S* weight, const Columns<const S>& dy) {
    const Index depth = dy.rows;
    if (dx.cols == 1) {
        add_columns_times<S>(dx.rows, depth, weight, dx.rows, dy.data, 1, dx.data);
    } else if (is_small(dx.rows, dx.cols, depth)) {
        for (Index j = 0; j < dx.cols; ++j) {
            for (Index k = 0; k < depth; ++k) {
                const S d = dy.column(j)[k];
                for (Index i = 0; i < dx.rows; ++i) dx.column(j)[i] += weight[k * dx.rows + i] * d;
            }
        }
    } else {
        add_product<S, Eigen::ColMajor, Eigen::ColMajor>(dx.rows, dx.cols, depth, weight, dx.rows, dy.data,
                                                         dy.stride, dx.data, dx.stride);
    }
}

/// w += x dy'
template <class S>
void add_backward_weight(const Columns<S>& w, const Columns<const S>& dy, const Columns<const S>& x) {
    const Index depth = x.cols;
    if (w.cols == 1) {
        add_columns_times<S>(w.rows, depth, x.data, x.stride, dy.data, dy.stride, w.data);
    } else if (depth == 1) {
        using Vector = Eigen::Array<S, Dynamic, 1>;
        const Eigen::Map<const Vector> from(x.data, x.rows);
        for (Index j = 0; j < w.cols; ++j) Eigen::Map<Vector>(w.column(j), w.rows) += dy.data[j] * from;
    } else if (is_small(w.rows, w.cols, depth)) {
        for (Index k = 0; k < depth; ++k) {
            for (Index j = 0; j < w.cols; ++j) {
                const S d = dy.column(k)[j];
                for (Index i = 0; i < w.rows; ++i) w.column(j)[i] += x.column(k)[i] * d;
            }
        }
    } else {
        add_product<S, Eigen::ColMajor, Eigen::RowMajor>(w.rows, w.cols, depth, x.data, x.stride, dy.data,
                                                         dy.stride, w.data, w.stride);
    }
}

}  // namespace detail

/// y = W x + bias, or y += W x + bias; the bias may be null. W is y.rows x x.rows, row-major, packed. What is
/// negative becomes zero where `rectify`; what is not a number stays so.
template <class S>
void forward(const Columns<S>& y, const S* weight, const Columns<const S>& x, bool accumulate,
             const S* bias = nullptr, bool rectify = false) {
#ifdef UNTOWARD_PLAIN
    plain::forward(y.data, y.rows, y.cols, y.stride, weight, x.data, x.rows, x.stride, accumulate, bias,
                   rectify);
#else
    const Index depth = x.rows;
    if constexpr (std::is_same_v<S, float>) {
        if (detail::multiply_few_columns(y, weight, nullptr, x, accumulate, bias, rectify)) return;
        const TileProduct t{.depth = depth,
                            .a = weight,
                            .a_stride = depth,
                            .a_is_row_major = true,
                            .b = x.data,
                            .b_column = x.stride,
                            .add = accumulate,
                            .bias = bias,
                            .rectify = rectify};
        if (detail::multiply_by_kernels(t, y)) return;
    }
    if (detail::begin(y, depth, accumulate)) detail::add_forward(y, weight, x);
    if (bias != nullptr || rectify) detail::finish(y, bias, rectify);
#endif
}

/// The same of packed W. By the processor's kernels, or block by block as ordinary numbers, in 32 KB of the stack (in
/// double 64 KB).
template <class S, class Code>
void forward(const Columns<S>& y, const PackedRows<S, Code>& weight, const Columns<const S>& x,
             bool accumulate, const S* bias = nullptr, bool rectify = false) {
#ifdef UNTOWARD_PLAIN
    plain::forward_packed(y.data, y.rows, y.cols, y.stride, weight.codes, weight.scales, x.data, x.rows,
                          x.stride, accumulate, bias, rectify);
#else
    const Index depth = x.rows;
    if constexpr (std::is_same_v<S, float>) {
        if (detail::multiply_few_columns(y, weight.codes, weight.scales, x, accumulate, bias, rectify))
            return;
    }
    constexpr Index block_rows = 32;
    constexpr Index block_depth = 256;
    alignas(64) S block[block_rows * block_depth];
    for (Index i = 0; i < y.rows; i += block_rows) {
        const Index rows = (std::min)(block_rows, y.rows - i);
        const BFloat16* const scales = weight.scales != nullptr ? weight.scales + i : nullptr;
        Index k = 0;
        do {
            const Index some = (std::min)(block_depth, depth - k);
            untoward::detail::run_unpack<S, Code>(
                {rows, some, weight.codes + i * depth + k, depth, scales, block});
            forward<S>({y.data + i, rows, y.cols, y.stride}, block, {x.data + k, some, x.cols, x.stride},
                       accumulate || k > 0, k == 0 && bias != nullptr ? bias + i : nullptr,
                       rectify && k + some >= depth);
            k += some;
        } while (k < depth);
    }
#endif
}

/// dx = W' dy + bias, or dx += W' dy + bias; bias and `rectify` as in `forward`. W is dy.rows x dx.rows,
/// row-major, packed.
template <class S>
void backward_input(const Columns<S>& dx, const S* weight, const Columns<const S>& dy, bool accumulate,
                    const S* bias = nullptr, bool rectify = false) {
#ifdef UNTOWARD_PLAIN
    plain::backward_input(dx.data, dx.rows, dx.cols, dx.stride, weight, dy.data, dy.rows, dy.stride,
                          accumulate, bias, rectify);
#else
    const Index depth = dy.rows;
    if constexpr (std::is_same_v<S, float>) {
        const TileProduct t{.depth = depth,
                            .a = weight,
                            .a_stride = dx.rows,
                            .b = dy.data,
                            .b_column = dy.stride,
                            .add = accumulate,
                            .bias = bias,
                            .rectify = rectify};
        if (detail::multiply_by_kernels(t, dx)) return;
    }
    if (detail::begin(dx, depth, accumulate)) detail::add_backward_input(dx, weight, dy);
    if (bias != nullptr || rectify) detail::finish(dx, bias, rectify);
#endif
}

/// dW = dy x', or dW += dy x'. dW is dy.rows x x.rows, row-major, packed.
template <class S>
void backward_weight(S* weight, const Columns<const S>& dy, const Columns<const S>& x, bool accumulate) {
#ifdef UNTOWARD_PLAIN
    plain::backward_weight(weight, dy.data, dy.rows, dy.stride, x.data, x.rows, x.cols, x.stride, accumulate);
#else
    // Transposed, W' is column-major: W' = x dy'.
    const Columns<S> w{weight, x.rows, dy.rows, x.rows};
    const Index depth = x.cols;
    if constexpr (std::is_same_v<S, float>) {
        const TileProduct t{.depth = depth,
                            .a = x.data,
                            .a_stride = x.stride,
                            .b = dy.data,
                            .b_step = dy.stride,
                            .b_column = 1,
                            .add = accumulate};
        if (detail::multiply_by_kernels(t, w)) return;
    }
    if (detail::begin(w, depth, accumulate)) detail::add_backward_weight(w, dy, x);
#endif
}

/// y = A B, or y += A B, each of A and B transposed where it says so; all three packed.
template <bool TransposeA, bool TransposeB, class S>
void matrices(const Columns<S>& y, const Columns<const S>& a, const Columns<const S>& b, bool accumulate) {
    UNTOWARD_ASSERT((TransposeA ? a.cols : a.rows) == y.rows && (TransposeB ? b.rows : b.cols) == y.cols &&
                        (TransposeA ? a.rows : a.cols) == (TransposeB ? b.cols : b.rows),
                    "untoward: the extents of a product of matrices differ");
    UNTOWARD_ASSERT(y.stride == y.rows && a.stride == a.rows && b.stride == b.rows,
                    "untoward: the matrices of this product are packed");
    // A column-major matrix is its transpose in row-major order, which is what a weight is.
    if constexpr (TransposeA && TransposeB) {
        const Index depth = a.rows;
        if constexpr (std::is_same_v<S, float>) {
            const TileProduct t{.depth = depth,
                                .a = a.data,
                                .a_stride = a.stride,
                                .a_is_row_major = true,
                                .b = b.data,
                                .b_step = b.stride,
                                .b_column = 1,
                                .add = accumulate};
            if (detail::multiply_by_kernels(t, y)) return;
        }
        if (!detail::begin(y, depth, accumulate)) return;
        if (detail::is_small(y.rows, y.cols, depth) || detail::has_plain_loops) {
            for (Index j = 0; j < y.cols; ++j) {
                for (Index i = 0; i < y.rows; ++i) {
                    S sum = 0;
                    for (Index k = 0; k < depth; ++k) sum += a.column(i)[k] * b.column(k)[j];
                    y.column(j)[i] += sum;
                }
            }
        } else if constexpr (!detail::has_plain_loops) {
            detail::add_product<S, Eigen::RowMajor, Eigen::RowMajor>(y.rows, y.cols, depth, a.data, a.stride,
                                                                     b.data, b.stride, y.data, y.stride);
        }
    } else if constexpr (TransposeA) {
        forward<S>(y, a.data, b, accumulate);
    } else if constexpr (TransposeB) {
        backward_weight<S>(y.data, b, a, accumulate);
    } else {
        backward_input<S>(y, a.data, b, accumulate);
    }
}

}  // namespace untoward::product
