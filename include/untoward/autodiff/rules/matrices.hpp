// SPDX-License-Identifier: MIT
#pragma once

#include "../rule.hpp"

// Products of two values, sample by sample: a sample Shape<C, T> is the matrix C x T. What attention needs:
//
//     scores = matrix_product<true, false>(s, keys, queries, 1 / sqrt(d));   // Shape<d, S>, Shape<d, T> to
//                                                                            // Shape<S, T>
//     weights = softmax(s, scores);                                          // over the keys of each query
//     result = matrix_product(s, values, weights);                           // Shape<d, S> to Shape<d, T>
//
// Further extents count matrices: with H heads, Seq<H d, T> is Shape<d, H, T> by `reshape`, Shape<d, T, H> by
// `permute<0, 2, 1>`, and the same lines serve all heads.

namespace untoward UNTOWARD_SETTING {

/// factor op(A) op(B) for each sample, where op transposes or leaves as it is: A is Shape<M, K, H...>, or
/// Shape<K, M, H...> where it is transposed, B is Shape<K, N, H...> or Shape<N, K, H...>, the result
/// Shape<M, N, H...>: one product for each of the H... A batch of one meets every sample.
template <bool TransposeA = false, bool TransposeB = false>
struct MatrixProduct {
    double factor = 1;

    template <class A, class B>
    constexpr auto shape(const A& a, const B& b) const {
        constexpr bool are_matrices = A::rank >= 2 && A::rank == B::rank;
        static_assert(are_matrices,
                      "untoward: both factors of a product are matrices, and as many on either side");
        if constexpr (are_matrices) {
            constexpr std::size_t depth_of_a = TransposeA ? 0 : 1;
            constexpr std::size_t depth_of_b = TransposeB ? 1 : 0;
            require_same<depth_of_a, depth_of_b>(a, b);
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                (require_same<I + 2, I + 2>(a, b), ...);
                return Shape<A::template static_extent<1 - depth_of_a>,
                             B::template static_extent<1 - depth_of_b>, known_extent<A, B, I + 2>...>(
                    a.template extent<1 - depth_of_a>(), b.template extent<1 - depth_of_b>(),
                    a.template extent<I + 2>()...);
            }
            (std::make_index_sequence<A::rank - 2>{});
        }
    }
    static constexpr Index multiply_adds(const auto& a, const auto& b) {
        constexpr std::size_t columns = TransposeB ? 0 : 1;
        return a.size() * b.template extent<columns>();
    }

    void forward(auto y, auto a, auto b) const {
        using S = typename decltype(y)::Scalar;
        for (Index j = 0; j < y.batch(); ++j) {
            for (Index h = 0; h < matrices_in(y); ++h) {
                product::matrices<TransposeA, TransposeB, S>(matrix(y, h, j), matrix(a, h, j),
                                                             matrix(b, h, j), false);
            }
        }
        scale(y);
    }
    // With G = factor dy: dA = G B', dB = A' G, and what is transposed gives the transpose of that.
    void backward(auto dy, auto, auto a, auto b, auto da, auto db) const {
        using S = typename decltype(a)::Scalar;
        scale(dy);
        add_to(da, dy, [&](const auto& to, const auto& d, Index h, Index j, bool accumulate) {
            if constexpr (TransposeA) {
                product::matrices<TransposeB, true, S>(to, matrix(b, h, j), d, accumulate);
            } else {
                product::matrices<false, !TransposeB, S>(to, d, matrix(b, h, j), accumulate);
            }
        });
        add_to(db, dy, [&](const auto& to, const auto& d, Index h, Index j, bool accumulate) {
            if constexpr (TransposeB) {
                product::matrices<true, TransposeA, S>(to, d, matrix(a, h, j), accumulate);
            } else {
                product::matrices<!TransposeA, false, S>(to, matrix(a, h, j), d, accumulate);
            }
        });
    }

private:
    template <std::size_t I, std::size_t J, class A, class B>
    static constexpr void require_same(const A& a, const B& b) {
        detail::require_same_extent<MatrixProduct, A::template static_extent<I>,
                                    B::template static_extent<J>>(a.template extent<I>(),
                                                                  b.template extent<J>());
    }
    template <class A, class B, std::size_t I>
    static constexpr Index known_extent =
        A::template static_extent<I> == Dynamic ? B::template static_extent<I> : A::template static_extent<I>;

    template <class X>
    static Index matrices_in(const X& x) {
        const Index size = x.shape().template extent<0>() * x.shape().template extent<1>();
        return size == 0 ? 0 : x.rows() / size;
    }
    // The matrix h of sample j, or of the one for all.
    template <class T, class Sample>
    static product::Columns<T> matrix(const Tensor<T, Sample>& x, Index h, Index j) {
        const Index rows = x.shape().template extent<0>();
        const Index cols = x.shape().template extent<1>();
        return {&x(h * rows * cols, detail::broadcast_column(x, j)), rows, cols, rows};
    }
    void scale(const auto& y) const {
        using S = typename std::remove_cvref_t<decltype(y)>::Scalar;
        if (factor != 1) y.flat() *= static_cast<S>(factor);
    }
    // Calls one(matrix of dx, matrix of dy, h, j, accumulate) for each, where the first of them may assign.
    template <class One>
    static void add_to(const auto& sink, const auto& dy, const One& one) {
        using S = typename std::remove_cvref_t<decltype(dy)>::Scalar;
        sink.write([&](const auto& to, bool accumulate) {
            if (dy.rows() == 0 || dy.batch() == 0) {
                if (!accumulate) to.flat().setZero();
                return;
            }
            for (Index j = 0; j < dy.batch(); ++j) {
                const bool again = accumulate || (j > 0 && to.batch() == 1);
                for (Index h = 0; h < matrices_in(dy); ++h) {
                    one(matrix(to, h, j), product::Columns<const S>(matrix(dy, h, j)), h, j, again);
                }
            }
        });
    }
};

/// factor op(a) op(b), sample by sample: see `MatrixProduct`
template <bool TransposeA = false, bool TransposeB = false, class Scope, class A, class B>
constexpr auto matrix_product(Scope& scope, const A& a, const B& b, double factor = 1) {
    return scope.apply(MatrixProduct<TransposeA, TransposeB>{factor}, a, b);
}

}  // namespace untoward
