// SPDX-License-Identifier: MIT
#pragma once

#include "symbolic.hpp"

namespace untoward UNTOWARD_SETTING {

/// One parameter tensor, as `describe` shows it. Text and extents live as long as the visit.
struct ParameterInfo {
    const char* path;      ///< like "encoder.0.weight"
    const Index* extents;  ///< in C order, slowest first, as NumPy and PyTorch print a shape
    Index rank;
    Index size;    ///< scalars
    Index offset;  ///< of the first scalar in the model's parameter vector
    Attributes attributes;
    std::uint64_t path_hash;  ///< the same in every reader; noise and first values are keyed by it
};

namespace detail {

// A virtual call instead of a template parameter: one reader type for everything that looks at the layout.
class ParameterVisitor {
public:
    constexpr virtual void visit(const ParameterInfo& parameter) = 0;

protected:
    constexpr ParameterVisitor() = default;
    constexpr ~ParameterVisitor() = default;
};

template <class Function>
class VisitWith final : public ParameterVisitor {
public:
    constexpr explicit VisitWith(Function& function) : function_(&function) {}
    constexpr void visit(const ParameterInfo& parameter) override { (*function_)(parameter); }

private:
    Function* function_;
};

struct DescribeState {
    ParameterVisitor* visitor;
    Path path;
    // The names that were asked for in the layers that are open, innermost last.
    static constexpr std::size_t max_names = 256;
    std::uint64_t names[max_names] = {};
    std::size_t named = 0;
};

}  // namespace detail

/// The reader that names everything, for a visitor that sees each parameter tensor in layout order; without
/// one it only counts parameters.
class Describe : public SymbolicScope<Describe> {
public:
    constexpr Describe() = default;
    constexpr explicit Describe(detail::DescribeState& state) : state_(&state) {}

    template <class Sample, class Initialiser>
    constexpr void on_parameter(const Name& name, const Sample& shape, const Initialiser&,
                                const Attributes& attributes, const Cursor& place) {
        Index extents[Sample::rank] = {};
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            // Channels last: extent 0 is the fastest.
            ((extents[(I + Sample::rank - 1) % Sample::rank] = shape.template extent<I>()), ...);
        }
        (std::make_index_sequence<Sample::rank>{});
        visit(name, extents, Sample::rank, shape.size(), attributes, place);
    }

    // What is to be restored when a layer is left.
    struct Mark {
        std::size_t path;
        std::size_t named;
    };
    template <class Layer, class... V>
    constexpr Mark enter(const Name& name, const Layer&, const V&...) {
        if (state_ == nullptr) return {};
        first_name_ = state_->named;
        return {state_->path.push(name), state_->named};
    }
    template <class Layer, class Result>
    constexpr void leave(const Mark& mark, const Layer&, const Result&) {
        if (state_ == nullptr) return;
        state_->path.pop(mark.path);
        state_->named = mark.named;
    }

    // Two things of one name in one layer are a mistake of the layer's author.
    constexpr void claim(const Name& name) {
        if (state_ == nullptr) return;
        for (std::size_t i = first_name_; i < state_->named; ++i) {
            UNTOWARD_ASSERT(state_->names[i] != name.hash(), "untoward: a layer asks twice for one name");
        }
        if (state_->named < detail::DescribeState::max_names) state_->names[state_->named++] = name.hash();
    }

private:
    constexpr void visit(const Name& name, const Index* extents, std::size_t rank, Index size,
                         const Attributes& attributes, const Cursor& place) {
        if (state_ == nullptr) return;
        const std::size_t before = state_->path.push(name);
        state_->visitor->visit(ParameterInfo{state_->path.text(), extents, static_cast<Index>(rank), size,
                                             place.scalars, attributes, this->path_hash(name)});
        state_->path.pop(before);
    }

    detail::DescribeState* state_ = nullptr;
    std::size_t first_name_ = 0;
};

/// Calls visitor(ParameterInfo) for every parameter of `layer`, for inputs of these shapes, in layout order.
template <class Visitor, class Layer, class... Shapes>
constexpr void describe(Visitor&& visitor, const Layer& layer, const Shapes&... shapes) {
    detail::VisitWith<std::remove_reference_t<Visitor>> visit(visitor);
    detail::DescribeState state{.visitor = &visit, .path = {}};
    Describe scope(state);
    static_cast<void>(detail::call_layer(layer, scope, Symbol<Shapes>(shapes, 1)...));
}

namespace detail {

template <class Layer, class... Shapes>
constexpr Cursor measure_by_calling(const Layer& layer, const Shapes&... shapes) {
    Describe scope;
    static_cast<void>(call_layer(layer, scope, Symbol<Shapes>(shapes, 1)...));
    return scope.cursor();
}

template <class... Shapes>
constexpr bool are_static() {
    return (Shapes::is_static && ...);
}
// Whether sizes are in the types, and nothing stands in the way of the compiler counting.
template <class Layer, class... Shapes>
concept MeasuredByCompiler = std::is_empty_v<Layer> && are_static<Shapes...>() && requires {
    typename std::integral_constant<Index, measure_by_calling(Layer{}, Shapes{}...).scalars>;
};
template <class Layer, class... Shapes>
inline constexpr Cursor measured = measure_by_calling(Layer{}, Shapes{}...);

}  // namespace detail

/// How many parameters a layer has for inputs of these shapes.
template <class... Shapes, class Layer>
constexpr Cursor measure(const Layer& layer, const Shapes&... shapes) {
    if constexpr (detail::MeasuredByCompiler<Layer, Shapes...>) {
        return detail::measured<Layer, Shapes...>;
    } else {
        return detail::measure_by_calling(layer, shapes...);
    }
}

/// The shape of a layer's output for inputs of these shapes.
template <class... Shapes, class Layer>
constexpr auto output_shape(const Layer& layer, const Shapes&... shapes) {
    const auto shape = [&] {
        Describe scope;
        return detail::call_layer(layer, scope, Symbol<Shapes>(shapes, 1)...).shape();
    };
    using Result = decltype(shape());
    if constexpr (Result::is_static) {
        return Result{};
    } else {
        return shape();
    }
}

}  // namespace untoward
