// SPDX-License-Identifier: MIT
#pragma once

#include "symbolic.hpp"

namespace untoward {

/// One parameter tensor, as `describe` shows it. The text lives as long as the visit.
struct ParameterInfo {
    const char* path;       ///< like "encoder.0.weight"
    const Index* extents;   ///< in C order, slowest first, as NumPy and PyTorch print a shape
    Index rank;
    Index size;             ///< scalars
    Index offset;           ///< of the first scalar in the model's parameter vector
    Attributes attributes;
};

namespace detail {

template <class Visitor>
struct DescribeState {
    Visitor* visitor;
    Path path;
};

}  // namespace detail

/// The reader that names everything: calls visitor(ParameterInfo) for every parameter tensor in layout order.
template <class Visitor>
class Describe : public SymbolicScope<Describe<Visitor>> {
public:
    constexpr explicit Describe(detail::DescribeState<Visitor>& state) : state_(&state) {}

    template <class Sample, class Initialiser>
    constexpr void on_parameter(const Name& name, const Sample& shape, const Initialiser&,
                                const Attributes& attributes, const Cursor& place) {
        const std::size_t before = state_->path.push(name);
        Index extents[Sample::rank] = {};
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            // Channels last: extent 0 is the fastest.
            ((extents[(I + Sample::rank - 1) % Sample::rank] = shape.template extent<I>()), ...);
        }(std::make_index_sequence<Sample::rank>{});
        (*state_->visitor)(ParameterInfo{state_->path.text(), extents, static_cast<Index>(Sample::rank),
                                         shape.size(), place.scalars, attributes});
        state_->path.pop(before);
    }

    template <class Layer, class... V>
    constexpr std::size_t enter(const Name& name, const Layer&, const V&...) {
        claimed_ = 0;
        return state_->path.push(name);
    }
    template <class Layer, class Result>
    constexpr void leave(std::size_t before, const Layer&, const Result&) {
        state_->path.pop(before);
    }

    // Two things of one name in one layer are a mistake of the layer's author.
    constexpr void claim(const Name& name) {
        for (std::size_t i = 0; i < claimed_; ++i) {
            UNTOWARD_ASSERT(names_[i] != name.hash(), "untoward: a layer asks twice for one name");
        }
        if (claimed_ < max_names) names_[claimed_++] = name.hash();
    }

private:
    static constexpr std::size_t max_names = 64;
    detail::DescribeState<Visitor>* state_;
    std::uint64_t names_[max_names] = {};
    std::size_t claimed_ = 0;
};

/// Calls visitor(ParameterInfo) for every parameter of `layer`, for inputs of these shapes, in layout order.
template <class Visitor, class Layer, class... Shapes>
constexpr void describe(Visitor&& visitor, const Layer& layer, const Shapes&... shapes) {
    detail::DescribeState<std::remove_reference_t<Visitor>> state{&visitor, {}};
    Describe<std::remove_reference_t<Visitor>> scope(state);
    static_cast<void>(layer(scope, Symbol<Shapes>(shapes, 1)...));
}

}  // namespace untoward
