// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "untoward/io/safetensors.hpp"

namespace untoward_test {

/// The bytes of a safetensors file with one metadata value replaced, or added: what a stranger, another program or
/// another version may have written.
inline std::string with_metadata(const std::string& bytes, const std::string& key, const std::string& value) {
    const untoward::io::SafeTensors file(bytes, "before");
    untoward::io::SafeTensorsWriter writer;
    for (const auto& [name, text] : file.metadata()) {
        if (name != key) writer.metadata(name, text);
    }
    writer.metadata(key, value);
    for (const auto& tensor : file.tensors())
        writer.add(tensor.name, tensor.dtype, tensor.shape, file.bytes(tensor.name));
    return writer.bytes();
}

/// The same with one more tensor.
inline std::string with_tensor(const std::string& bytes, const std::string& name) {
    const untoward::io::SafeTensors file(bytes, "before");
    untoward::io::SafeTensorsWriter writer;
    for (const auto& [key, text] : file.metadata()) writer.metadata(key, text);
    for (const auto& tensor : file.tensors())
        writer.add(tensor.name, tensor.dtype, tensor.shape, file.bytes(tensor.name));
    writer.add(name, {1}, std::vector<float>{1});
    return writer.bytes();
}

}  // namespace untoward_test
