// SPDX-License-Identifier: MIT
// Any bytes are a table of numbers or an untoward::Error. By hand:
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I include -isystem /usr/include/eigen3
//       tests/fuzz/npy.cc -o /tmp/fuzz_npy && /tmp/fuzz_npy -max_total_time=30
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "untoward/io/npy.hpp"
#include "untoward/io/table.hpp"

namespace io = untoward::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    for (const bool is_framed : {false, true}) {
        std::string file = bytes;
        if (is_framed) {
            const std::size_t length = bytes.rfind('}') + 1;
            file = std::string("\x93NUMPY\x01\x00", 8);
            file += static_cast<char>(length & 255U);
            file += static_cast<char>(length >> 8 & 255U);
            file += bytes;
        }
        try {
            const Eigen::MatrixXf matrix = io::parse_npy(io::as_bytes(file), "fuzz");
            if (matrix.size() > static_cast<untoward::Index>(file.size())) std::abort();
            io::parse_npy<double>(io::as_bytes(file), "fuzz");
            const io::Table table = io::parse_npy_table(io::as_bytes(file), "fuzz");
            if (table.rows() != matrix.cols()) std::abort();
            const std::string written = io::npy_bytes(matrix);
            const Eigen::MatrixXf again = io::parse_npy(io::as_bytes(written), "again");
            if (io::npy_bytes(again) != written) std::abort();
        } catch (const untoward::Error&) {
        }
    }
    return 0;
}
