// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <tuple>

#include "describe.hpp"

// Parameters from one model to another, by name and shape: an encoder that was trained elsewhere, a decoder of
// a model with other heads. No memory is asked for, so a device can do it too.

namespace untoward UNTOWARD_SETTING {

/// A model and the shapes of its inputs: what fixes the layout of a parameter vector.
///
///     const Layout layout(Model{}, Vec<30>{});
template <class Layer, class... Shapes>
class Layout {
public:
    constexpr explicit Layout(const Layer& layer, const Shapes&... shapes)
        : layer_(layer), shapes_(shapes...) {}

    /// Calls visitor(ParameterInfo) for every parameter, in order.
    template <class Visitor>
    constexpr void describe(Visitor&& visitor) const {
        std::apply([&](const auto&... shapes) { untoward::describe(visitor, layer_, shapes...); }, shapes_);
    }
    [[nodiscard]] constexpr Cursor size() const {
        return std::apply([&](const auto&... shapes) { return measure(layer_, shapes...); }, shapes_);
    }

private:
    [[no_unique_address]] Layer layer_;
    [[no_unique_address]] std::tuple<Shapes...> shapes_;
};

/// What became of one parameter in `copy_parameters`.
enum class Transfer {
    copied,
    missing,  ///< the other model has none of this name: left as it was
    unlike,   ///< it has one of another shape: left as it was
};

/// How many parameter tensors of the target had which fate.
struct TransferReport {
    Index copied = 0;
    Index missing = 0;
    Index unlike = 0;
    Index scalars = 0;  ///< of those copied
    Index unused = 0;   ///< tensors of the source, under `from`, that nothing was copied from

    /// Whether all of the target, and all of the source, took part.
    [[nodiscard]] constexpr bool complete() const { return missing == 0 && unlike == 0 && unused == 0; }
};

/// Which parameters: those of the source under the path `from`, for those of the target under the path `to`.
/// An empty path is the whole model. {"encoder", "trunk.0"} copies encoder.weight to trunk.0.weight.
struct TransferPaths {
    const char* from = "";
    const char* to = "";
};

namespace detail {

// What follows of a path below another one, or null where it does not lie there: "0.weight" of
// "encoder.0.weight" below "encoder".
constexpr const char* below(const char* path, const char* prefix) {
    const char* rest = path;
    const char* expected = prefix;
    while (*expected != '\0' && *rest == *expected) {
        ++rest;
        ++expected;
    }
    if (*expected != '\0') return nullptr;
    if (expected == prefix) return path;
    return *rest == '.' ? rest + 1 : nullptr;
}

constexpr bool same_text(const char* a, const char* b) {
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return *a == *b;
}

constexpr bool same_extents(const ParameterInfo& a, const ParameterInfo& b) {
    return a.rank == b.rank && std::equal(a.extents, a.extents + a.rank, b.extents);
}

// Calls found(parameter) for the one below `prefix` that is named `name` there.
template <class L, class Function>
constexpr void find_parameter(const L& layout, const char* prefix, const char* name, const Function& found) {
    layout.describe([&](const ParameterInfo& parameter) {
        const char* const rest = below(parameter.path, prefix);
        if (rest != nullptr && same_text(rest, name)) found(parameter);
    });
}

}  // namespace detail

/// Copies every parameter of the source for which the target has one of the same path (below `paths`) and
/// shape, converting the scalar where the two differ; the others of the target keep their values. Returns
/// what was done, and tells `each(const ParameterInfo& of_target, Transfer)` of every tensor of the target
/// below `paths.to`. The two vectors may not overlap.
///
///     const auto report = copy_parameters(Layout(trained, Vec<30>{}), trained_parameters,
///                                         Layout(model, Vec<30>{}), parameters, {"encoder", "encoder"});
///     if (report.missing + report.unlike > 0) ...
template <class From, class To, class S, class R, class Each>
constexpr TransferReport copy_parameters(const From& source, const S* from, const To& target, R* to,
                                         const TransferPaths& paths, const Each& each) {
    TransferReport report;
    target.describe([&](const ParameterInfo& wanted) {
        const char* const name = detail::below(wanted.path, paths.to);
        if (name == nullptr) return;
        Transfer fate = Transfer::missing;
        detail::find_parameter(source, paths.from, name, [&](const ParameterInfo& given) {
            fate = detail::same_extents(given, wanted) ? Transfer::copied : Transfer::unlike;
            if (fate == Transfer::unlike) return;
            for (Index i = 0; i < wanted.size; ++i)
                to[wanted.offset + i] = static_cast<R>(from[given.offset + i]);
        });
        report.copied += fate == Transfer::copied ? 1 : 0;
        report.missing += fate == Transfer::missing ? 1 : 0;
        report.unlike += fate == Transfer::unlike ? 1 : 0;
        report.scalars += fate == Transfer::copied ? wanted.size : 0;
        each(wanted, fate);
    });
    source.describe([&](const ParameterInfo& given) {
        const char* const name = detail::below(given.path, paths.from);
        if (name == nullptr) return;
        bool used = false;
        detail::find_parameter(target, paths.to, name, [&](const ParameterInfo& wanted) {
            used = detail::same_extents(given, wanted);
        });
        report.unused += used ? 0 : 1;
    });
    return report;
}
template <class From, class To, class S, class R>
constexpr TransferReport copy_parameters(const From& source, const S* from, const To& target, R* to,
                                         const TransferPaths& paths = {}) {
    return copy_parameters(source, from, target, to, paths, [](const ParameterInfo&, Transfer) {});
}

}  // namespace untoward
