// SPDX-License-Identifier: MIT
// Any bytes are a valid model file or an untoward::Error. By hand:
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I include -isystem /usr/include/eigen3
//       tests/fuzz/safetensors.cc -o /tmp/fuzz_safetensors && /tmp/fuzz_safetensors -max_total_time=30
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "untoward/io/safetensors.hpp"
#include "untoward/io/table_coding.hpp"

namespace io = untoward::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    // The header is the part that matters: give what is no file at all a length that fits.
    for (const bool is_framed : {false, true}) {
        std::string file = bytes;
        if (is_framed) {
            const std::uint64_t length = bytes.rfind('}') + 1;
            file = std::string(reinterpret_cast<const char*>(&length), 8) + bytes;
        }
        try {
            const io::SafeTensors tensors(file, "fuzz");
            std::size_t total = 0;
            io::SafeTensorsWriter writer;
            for (const auto& [key, value] : tensors.metadata()) writer.metadata(key, value);
            for (const io::TensorInfo& info : tensors.tensors()) {
                total += tensors.bytes(info.name).size();
                if (info.dtype == io::Dtype::F32) tensors.tensor<float>(info.name);
                writer.add(info.name, info.dtype, info.shape, tensors.bytes(info.name));
            }
            if (total > file.size()) std::abort();
            // What was read can be written, and is then read as the same.
            const std::string written = writer.bytes(1 << 30);
            const io::SafeTensors again(written, "again", 1 << 30);
            if (again.metadata() != tensors.metadata() ||
                again.tensors().size() != tensors.tensors().size()) {
                std::abort();
            }
        } catch (const untoward::Error&) {
        }
    }
    try {
        const auto coding = io::TableCoding::from_json(bytes, "fuzz");
        if (coding.to_json() != io::TableCoding::from_json(coding.to_json(), "again").to_json()) std::abort();
    } catch (const untoward::Error&) {
    }
    return 0;
}
