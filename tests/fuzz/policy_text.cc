// SPDX-License-Identifier: MIT
// Any text is a policy, a score or a model, or an untoward::Error; and what is read is written as it is read
// again. By hand:
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I include -isystem /usr/include/eigen3
//       tests/fuzz/policy_text.cc -o /tmp/fuzz_policy && /tmp/fuzz_policy -max_total_time=60
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "untoward/dynamic/detector.hpp"

namespace io = untoward::io;

namespace {

/// What `make` makes of a text has a text that makes the same; so many bytes of it, at most.
template <class Make, class Text>
void check(std::string_view text, const Make& make, const Text& text_of) {
    std::string written;
    try {
        written = text_of(make(text));
    } catch (const untoward::Error&) {
        return;
    }
    // Outside of the try: what it has written itself, it reads.
    if (text_of(make(written)) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto own_text = [](const auto& any) { return any.text(); };
    check(
        text, [](auto t) { return untoward::make_score<float>(t); }, own_text);
    check(
        text, [](auto t) { return untoward::make_layers<float>(t); }, own_text);
    check(
        text, [](auto t) { return untoward::layer_registry<float>().make(t); }, own_text);
    check(
        text, [](auto t) { return untoward::likelihood_registry<float>().make(t); }, own_text);
    check(
        text, [](auto t) { return untoward::threshold_registry<float>().make(t); }, own_text);
    check(
        text,
        [](auto t) {
            const auto model = untoward::make_vae<float>(t);
            try {
                static_cast<void>(untoward::measure(model, model.sample));
            } catch (const untoward::Error&) {  // a residual of two sizes
            }
            return model;
        },
        [](const auto& model) { return io::policy_text(model); });
    return 0;
}
