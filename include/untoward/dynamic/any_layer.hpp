// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../nn/batch_norm.hpp"
#include "../nn/dense.hpp"
#include "../nn/dropout.hpp"
#include "../nn/layer_norm.hpp"
#include "../nn/residual.hpp"
#include "erased.hpp"
#include "registry.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class In, class Out>
struct ErasedLayer {
    template <class Scope>
    struct Calls {
        virtual ReaderValue<Scope, Out> forward(Scope& scope, const ReaderValue<Scope, In>& x) const = 0;

    protected:
        ~Calls() = default;
    };
    template <class Scope, class Layer>
    struct Held final : Calls<Scope> {
        explicit Held(const Layer& l) : layer(l) {}
        ReaderValue<Scope, Out> forward(Scope& scope, const ReaderValue<Scope, In>& x) const override {
            return erase_value(layer(scope, x));
        }
        const Layer& layer;
    };
};

}  // namespace detail

/// Any layer from one sample shape to another, both with run-time extents, chosen at run time: for models with
/// numbers of type S. It meets all readers that compute, count, describe and initialise.
///
///     AnyLayer<float> layer = Dense<Dynamic, Relu>(64);
///     AnyLayer<float, Seq<>, Vec<>> summary = ...;
template <class S = float, class In = Vec<>, class Out = In>
class AnyLayer {
    static_assert(In::dynamic_rank == In::rank && Out::dynamic_rank == Out::rank,
                  "untoward: the shapes of an AnyLayer have run-time extents only");
    using Erased = detail::ErasedLayer<In, Out>;

public:
    template <class Layer>
    requires(!std::same_as<Layer, AnyLayer>) AnyLayer(const Layer& layer)
        : held_(detail::hold_for_readers<S, Erased::template Calls, Erased::template Held>(layer)) {
        require_options(layer);
    }

    template <class Scope, class X>
    auto operator()(Scope& scope, const X& x) const {
        return held_->template with<Scope>().forward(scope, detail::erase_value(x));
    }
    /// C++ text, which `layer_registry` reads back.
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    std::shared_ptr<const detail::CallsOfReaders<Erased::template Calls, S>> held_;
};

/// As many layers as a program finds at run time, one after the other: named "0", "1", ... like those of a
/// `Chain`, and with its text.
template <class S = float, class Sample = Vec<>>
class AnyChain {
public:
    using Layers = std::vector<AnyLayer<S, Sample>>;

    AnyChain() = default;
    explicit AnyChain(Layers layers) : layers_(std::make_shared<Layers>(std::move(layers))) {}

    template <class Scope, class X>
    auto operator()(Scope& scope, const X& x) const {
        auto value = detail::erase_value(x);
        for (std::size_t i = 0; i < layers().size(); ++i)
            value = scope.call(Name::index(static_cast<Index>(i)), layers()[i], value);
        return value;
    }
    [[nodiscard]] std::string text() const {
        std::vector<std::string> parts;
        for (const auto& layer : layers()) parts.push_back(layer.text());
        return io::detail::joined(parts, "Chain{", "}");
    }
    [[nodiscard]] const Layers& layers() const { return *layers_; }

private:
    // Shared: readers copy layers, and allocate nothing.
    std::shared_ptr<const Layers> layers_ = std::make_shared<Layers>();
};

namespace detail {

// Registers Layer<Dynamic, Activation> for the activation that its text names.
template <template <Index, class> class Layer, class... Activations, class Any>
void add_with_activations(Registry<Any>& registry) {
    registry.add(Layer<Dynamic, Identity>::name, [](const io::PolicyText& text) {
        std::string chosen = Identity::name;
        if (text.arguments.size() > 1) chosen = io::detail::kebab_case(text.arguments[1]);
        for (const auto& [key, value] : text.options) {
            if (key == "activation") chosen = io::detail::kebab_case(value);
        }
        std::optional<Any> result;
        std::string names;
        const auto consider = [&]<class Activation>() {
            names += (names.empty() ? "" : ", ") + std::string(Activation::name);
            if (chosen != Activation::name) return;
            Layer<Dynamic, Activation> layer;
            io::read_options("layer", text, layer);
            result = Any(layer);
        };
        (consider.template operator()<Activations>(), ...);
        if (!result) fail("there is no activation ", io::in_quotes(chosen), "; there are ", names);
        return *result;
    });
}

template <class S>
AnyChain<S> chain_of(const std::vector<std::string>& parts);
template <class S>
AnyChain<S> read_chain(const io::PolicyText& text) {
    if (!text.options.empty() || !text.arguments.empty())
        fail("layer 'chain' has layers in {} and nothing else, like chain{dense<64,relu>, dense<8>}");
    return chain_of<S>(text.values);
}

// The layer of a residual. With fixed types the compiler sees that its sizes are the same.
template <class S>
struct KeepsSize {
    AnyLayer<S> layer;

    template <class Scope, class X>
    auto operator()(Scope& scope, const X& x) const {
        const auto y = layer(scope, x);
        if (y.shape().size() != x.shape().size()) {
            fail("layer 'residual' adds the output of its layer to the input: ", layer.text(), " makes ",
                 y.shape().size(), " values of ", x.shape().size(), ", expected as many");
        }
        return y;
    }
    [[nodiscard]] std::string text() const { return layer.text(); }
};

}  // namespace detail

/// The layers from a vector to a vector that are known by name: the library's, and those that a program adds.
template <class S = float>
Registry<AnyLayer<S>>& layer_registry() {
    static Registry<AnyLayer<S>> registry = [] {
        Registry<AnyLayer<S>> all("layer");
        detail::add_with_activations<Dense, Identity, Relu, LeakyRelu, Elu, Gelu, Silu, Tanh, Sigmoid,
                                     Softplus>(all);
        all.template add<Dropout>();
        all.template add<LayerNorm>();
        all.template add<BatchNorm>();
        all.add("chain", [](const io::PolicyText& text) { return detail::read_chain<S>(text); });
        all.add(Residual<AnyLayer<S>>::name, [](const io::PolicyText& text) -> AnyLayer<S> {
            if (text.values.size() != 1 || !text.options.empty() || !text.arguments.empty())
                fail("layer 'residual' has one layer in {}, like residual{dense<64,relu>}");
            return Residual<detail::KeepsSize<S>>{{layer_registry<S>().make(text.values[0])}};
        });
        return all;
    }();
    return registry;
}

namespace detail {

template <class S>
AnyChain<S> chain_of(const std::vector<std::string>& parts) {
    std::vector<AnyLayer<S>> layers;
    for (const std::string& part : parts) layers.push_back(layer_registry<S>().make(part));
    return AnyChain<S>(std::move(layers));
}

}  // namespace detail

/// The layers of a text: "Chain{a, b}", or "a, b", or nothing. Throws Error where one is unknown.
template <class S = float>
AnyChain<S> make_layers(std::string_view text) {
    const std::vector<std::string> parts = io::detail::split_outside(text, ',');
    if (parts.size() == 1) {
        if (const io::PolicyText only = io::parse_policy(parts[0]); only.name == "chain")
            return detail::read_chain<S>(only);
    }
    return detail::chain_of<S>(parts);
}

}  // namespace untoward
