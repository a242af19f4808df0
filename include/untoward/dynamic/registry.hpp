// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "../io/policy_text.hpp"

// Choice at run time. A program that learns its columns and options from a file or a command line cannot have
// one type for every combination, so each kind of policy has a type-erased form (AnyLayer, AnyLikelihood,
// AnyScaler, AnyScore, AnyThreshold) and a registry of names. They meet the same concepts as the policies
// they hold: a Recipe, `fit`, a Detector and its file do not know the difference. The cost is one virtual call
// per layer, score or column block, never per element.
//
// A policy of your own, with a name (core/options.hpp), is registered once at the start of the program; then
// `--score top-share`, a saved detector and its reloading know it:
//
//     untoward::score_registry<float>().add<TopShare>();
//
// Registries: layer_registry, latent_registry, likelihood_registry, scaler_registry, score_registry and
// threshold_registry, for each type of numbers; optimiser_registry, learning_rate_registry, beta_registry and
// averaging_registry in training.hpp. Layers are from a vector to a vector of run-time sizes, so a layer that
// is a template is registered as what it is for those: `add<Maxout<Dynamic>>()`. Where a part is around
// another, a function makes it from its text:
//
//     auto& layers = untoward::layer_registry<float>();
//     layers.add("highway", [&layers](const io::PolicyText& text) -> AnyLayer<float> {
//         if (text.values.size() != 1) fail("layer 'highway' has one layer in {}");
//         return Highway<AnyLayer<float>>{layers.make(text.values[0])};
//     });

namespace untoward UNTOWARD_SETTING {

/// Policies of one kind by name.
///
/// Threads: any number may make policies at once, and the first to ask for a registry may be any of them. `add` changes
/// it: before others look, at the start of the program.
template <class Any>
class Registry {
public:
    using Make = std::function<Any(const io::PolicyText&)>;

    /// `what` is the kind of policy, for messages: "score".
    explicit Registry(const char* what) : what_(what) {}

    /// Adds a policy under its own name, with the options it says it has. A later one replaces an earlier.
    template <class Policy>
    void add(const Policy& defaults = {}) {
        static_assert(Named<Policy>, "untoward: a policy is registered by its `name`: see core/options.hpp");
        add(Policy::name, [what = what_, defaults](const io::PolicyText& text) {
            Policy policy = defaults;
            io::read_options(what, text, policy);
            return Any(policy);
        });
    }
    /// Adds a name and what makes a policy of its text. Throws Error for a name that its C++ text would not
    /// give back: one that is not in kebab case, or with a hyphen in front of a digit.
    void add(const std::string& name, Make make) {
        if (const std::string text = io::detail::pascal_case(name); io::parse_policy(text).name != name)
            fail("the ", what_, " ", io::in_quotes(name), " needs a name in kebab case: as C++ it would be ",
                 io::in_quotes(text));
        makers_[name] = std::move(make);
    }

    /// The policy that a text names. Throws Error for an unknown name, option or value, saying what there is.
    [[nodiscard]] Any make(std::string_view text) const {
        const io::PolicyText parsed = io::parse_policy(text);
        const auto found = makers_.find(parsed.name);
        if (found == makers_.end())
            fail("there is no ", what_, " ", io::in_quotes(parsed.name), "; there are ", names());
        return found->second(parsed);
    }

    /// All names, separated by commas.
    [[nodiscard]] std::string names() const {
        std::string text;
        for (const auto& [name, make] : makers_) text += (text.empty() ? "" : ", ") + name;
        return text;
    }

private:
    const char* what_;
    std::map<std::string, Make, std::less<>> makers_{};
};

}  // namespace untoward
