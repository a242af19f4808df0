// SPDX-License-Identifier: MIT
#pragma once

#include "product.hpp"
#include "shape.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// The shape that kernels are compiled for: run-time extents, unless UNTOWARD_FIXED_KERNELS says otherwise.
template <class Sample>
constexpr auto erase_shape(const Sample& shape) {
#ifdef UNTOWARD_FIXED_KERNELS
    return shape;
#else
    return shape.erased();
#endif
}
template <class Sample>
using ErasedShape = decltype(erase_shape(std::declval<Sample>()));

}  // namespace detail

/// A view of a batch of samples, one per column: a pointer, a shape, a batch size and the distance between
/// consecutive samples. Trivially copyable; owns nothing. `T` may be const.
template <class T, class Sample>
class Tensor {
    static_assert(is_shape<Sample>);

public:
    using Scalar = std::remove_const_t<T>;
    using SampleShape = Sample;

    template <int Rows, int Columns, class Stride>
    using Map = Eigen::Map<std::conditional_t<std::is_const_v<T>, const Eigen::Matrix<Scalar, Rows, Columns>,
                                              Eigen::Matrix<Scalar, Rows, Columns>>,
                           Eigen::Unaligned, Stride>;
    using FlatMap = Eigen::Map<std::conditional_t<std::is_const_v<T>, const Eigen::Array<Scalar, Dynamic, 1>,
                                                  Eigen::Array<Scalar, Dynamic, 1>>>;

    constexpr Tensor() = default;
    constexpr Tensor(T* data, const Sample& shape, Index batch, Index stride)
        : data_(data), stride_(stride), batch_(batch), shape_(shape) {}
    constexpr Tensor(T* data, const Sample& shape, Index batch) : Tensor(data, shape, batch, shape.size()) {}

    /// A view for reading of a view for writing.
    constexpr operator Tensor<const T, Sample>() const requires(!std::is_const_v<T>) {
        return {data_, shape_, batch_, stride_};
    }

    [[nodiscard]] constexpr const Sample& shape() const { return shape_; }
    [[nodiscard]] constexpr Index batch() const { return batch_; }
    [[nodiscard]] constexpr Index stride() const { return stride_; }
    [[nodiscard]] constexpr T* data() const { return data_; }
    /// Elements of one sample.
    [[nodiscard]] constexpr Index rows() const { return shape_.size(); }
    /// Elements of all samples.
    [[nodiscard]] constexpr Index size() const { return rows() * batch_; }
    [[nodiscard]] constexpr bool contiguous() const { return stride_ == rows() || batch_ <= 1; }
    [[nodiscard]] constexpr T& operator()(Index row, Index sample) const {
        return data_[row + sample * stride_];
    }

    /// sample_size x batch.
    [[nodiscard]] auto matrix() const {
        return Map<Dynamic, Dynamic, Eigen::OuterStride<>>(data_, rows(), batch_,
                                                           Eigen::OuterStride<>(stride_));
    }
    /// One sample as a column.
    [[nodiscard]] FlatMap column(Index sample) const { return FlatMap(data_ + sample * stride_, rows()); }
    /// One sample as channels x positions.
    [[nodiscard]] auto sample(Index i) const {
        return Map<Dynamic, Dynamic, Eigen::OuterStride<>>(data_ + i * stride_, shape_.channels(),
                                                           shape_.positions(),
                                                           Eigen::OuterStride<>(shape_.channels()));
    }
    /// Everything as one array; only where `contiguous()`.
    [[nodiscard]] FlatMap flat() const {
        UNTOWARD_ASSERT(contiguous(), "untoward: a strided view is not one array");
        return FlatMap(data_, size());
    }
    /// Whether all positions of all samples are one matrix at one stride.
    [[nodiscard]] bool has_position_matrix() const { return contiguous() || shape_.positions() == 1; }
    /// channels x (positions * batch); only where `has_position_matrix()`.
    [[nodiscard]] auto position_matrix() const {
        UNTOWARD_ASSERT(has_position_matrix(), "untoward: the positions of this view are not at one stride");
        const Index positions = shape_.positions();
        return Map<Dynamic, Dynamic, Eigen::OuterStride<>>(
            data_, shape_.channels(), positions * batch_,
            Eigen::OuterStride<>(positions == 1 ? stride_ : shape_.channels()));
    }

    /// The same for `product`.
    [[nodiscard]] product::Columns<T> position_columns() const {
        UNTOWARD_ASSERT(has_position_matrix(), "untoward: the positions of this view are not at one stride");
        const Index positions = shape_.positions();
        return {data_, shape_.channels(), positions * batch_, positions == 1 ? stride_ : shape_.channels()};
    }
    /// One sample, for `product`.
    [[nodiscard]] product::Columns<T> sample_columns(Index i) const {
        return {data_ + i * stride_, shape_.channels(), shape_.positions(), shape_.channels()};
    }

    /// The view that kernels are compiled for.
    [[nodiscard]] constexpr auto erased() const {
        return Tensor<T, detail::ErasedShape<Sample>>(data_, detail::erase_shape(shape_), batch_, stride_);
    }

private:
    T* data_ = nullptr;
    Index stride_ = 0;
    Index batch_ = 0;
    [[no_unique_address]] Sample shape_{};
};

}  // namespace untoward
