// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../core/options.hpp"

// What the policies of training share: their text, and how what they learn on the way is saved.

namespace untoward UNTOWARD_SETTING {

/// Sees everything that training must remember to go on as if it had never stopped, under a name for each. A
/// reader leaves the values alone, a writer replaces them (sizes of spans stay; vectors may get another).
class StateVisitor {
public:
    virtual void visit(const std::string& name, std::span<float> values) = 0;
    virtual void visit(const std::string& name, std::span<double> values) = 0;
    virtual void visit(const std::string& name, std::int64_t& value) = 0;
    virtual void visit(const std::string& name, std::vector<double>& values) = 0;

    void visit(const std::string& name, double& value) { visit(name, std::span<double>(&value, 1)); }

protected:
    StateVisitor() = default;
    ~StateVisitor() = default;
};

namespace detail {

inline std::string number_text(double value) {
    char buffer[32];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
    std::string text(buffer, result.ptr);
    if (text.find_first_of(".en") == std::string::npos) text += ".0";
    return text;
}

// Options of training's policies are numbers and switches.
struct OptionsText {
    std::string text{};

    template <class T>
    void operator()(const char* key, const T& value, const OptionRange& = {}) {
        text += text.empty() ? "." : ", .";
        text += key;
        text += " = ";
        if constexpr (std::is_same_v<T, bool>) {
            text += value ? "true" : "false";
        } else if constexpr (std::is_integral_v<T>) {
            text += std::to_string(value);
        } else {
            static_assert(std::is_floating_point_v<T>, "untoward: an option of training is a number or bool");
            text += number_text(static_cast<double>(value));
        }
    }
};

// "AdamW{.beta1 = 0.9}", as io/policy_text.hpp has it, or a placeholder for what has no name.
template <class Policy>
std::string training_policy_text(const Policy& policy) {
    if constexpr (!Named<Policy>) {
        return "(unnamed)";
    } else {
        std::string text;
        bool upper = true;
        for (const char c : std::string_view(Policy::name)) {
            if (c != '-') text += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            upper = c == '-';
        }
        OptionsText options;
        if constexpr (HasOptions<Policy>) Policy::options(policy, options);
        return text + "{" + options.text + "}";
    }
}

}  // namespace detail

}  // namespace untoward
