// SPDX-License-Identifier: MIT
#pragma once

// safetensors files: `SafeTensors` reads one, `SafeTensorsWriter` writes one. The format and what is refused:
// safetensors_header.hpp.

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../config.hpp"
#include "../core/error.hpp"
#include "file.hpp"
#include "json.hpp"
#include "safetensors_header.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// A safetensors file in memory.
///
/// Threads: any number may look at one at once.
class SafeTensors {
public:
    /// Takes the bytes of a file; `name` is for messages. Throws Error when they are not a valid file.
    SafeTensors(std::string bytes, std::string name, std::size_t header_limit = default_header_limit)
        : bytes_(std::move(bytes)), name_(std::move(name)) {
        SafeTensorsHeader header = parse_safetensors(as_bytes(bytes_), name_, header_limit);
        metadata_ = std::move(header.metadata);
        tensors_ = std::move(header.tensors);
        for (std::size_t i = 0; i < tensors_.size(); ++i) places_.emplace(tensors_[i].name, i);
    }

    static SafeTensors load(const std::string& path, std::size_t header_limit = default_header_limit) {
        return SafeTensors(read_file(path), input_name(path), header_limit);
    }

    /// The file's name, for messages.
    const std::string& name() const { return name_; }
    const Metadata& metadata() const { return metadata_; }

    /// One metadata value. Throws Error when the file has no such key.
    const std::string& metadata(std::string_view key) const {
        const auto found = metadata_.find(std::string(key));
        if (found == metadata_.end()) fail(name_, ": has no metadata ", in_quotes(key));
        return found->second;
    }

    /// All tensors in the order of their bytes.
    const std::vector<TensorInfo>& tensors() const { return tensors_; }
    bool contains(std::string_view tensor) const { return places_.find(tensor) != places_.end(); }

    /// Throws Error when the file has no such tensor.
    const TensorInfo& info(std::string_view tensor) const {
        const auto found = places_.find(tensor);
        if (found == places_.end()) fail(name_, ": has no tensor ", in_quotes(tensor));
        return tensors_[found->second];
    }

    /// The bytes of a tensor: little-endian, row-major, not necessarily aligned.
    std::span<const std::byte> bytes(std::string_view tensor) const {
        const TensorInfo& found = info(tensor);
        return as_bytes(bytes_).subspan(found.begin, found.end - found.begin);
    }

    /// The values of a tensor of any shape, row-major.
    /// Throws Error when it is missing, has another dtype, or (for bool) holds a byte over 1.
    template <class T>
    Eigen::Matrix<T, Dynamic, 1> tensor(std::string_view tensor_name) const {
        const TensorInfo& found = info(tensor_name);
        if (found.dtype != dtype_of<T>()) {
            fail(name_, ": tensor ", in_quotes(tensor_name), " has dtype ", dtype_name(found.dtype),
                 ", expected ", dtype_name(dtype_of<T>()));
        }
        const std::span<const std::byte> from = bytes(tensor_name);
        if constexpr (std::is_same_v<T, bool>) {
            if (std::any_of(from.begin(), from.end(), [](std::byte b) { return b > std::byte{1}; })) {
                fail(name_, ": tensor ", in_quotes(tensor_name), " holds a byte that is neither 0 nor 1");
            }
        }
        Eigen::Matrix<T, Dynamic, 1> values(static_cast<Index>(from.size() / sizeof(T)));
        if (!from.empty()) std::memcpy(values.data(), from.data(), from.size());
        return values;
    }

    /// The values of a tensor of exactly this shape, row-major:
    ///     file.tensor<float>("encoder.0.weight", {32, 16})
    template <class T>
    Eigen::Matrix<T, Dynamic, 1> tensor(std::string_view tensor_name, const std::vector<Index>& shape) const {
        require_shape(tensor_name, shape);
        return tensor<T>(tensor_name);
    }

    /// Throws Error where there is no such tensor of exactly this shape.
    void require_shape(std::string_view tensor_name, const std::vector<Index>& shape) const {
        const TensorInfo& found = info(tensor_name);
        if (found.shape != shape) {
            fail(name_, ": tensor ", in_quotes(tensor_name), " has shape ", detail::shape_text(found.shape),
                 ", expected ", detail::shape_text(shape));
        }
    }

private:
    std::string bytes_;
    std::string name_;
    Metadata metadata_;
    std::vector<TensorInfo> tensors_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

/// Collects tensors and metadata and writes them as one file. The same content gives the same bytes in
/// whatever order it was added: metadata by key; tensors by descending alignment of their dtype, then by
/// name; the header padded with spaces to a multiple of 8, so that every tensor is aligned in the file.
///
/// Threads: one for each writer.
class SafeTensorsWriter {
public:
    /// Throws Error for a key that is already there, or text that is not UTF-8.
    void metadata(std::string key, std::string value) {
        if (!is_utf8(key) || !is_utf8(value)) fail("safetensors: metadata ", in_quotes(key), " is not UTF-8");
        const auto [at, is_new] = metadata_.try_emplace(std::move(key), std::move(value));
        if (!is_new) fail("safetensors: duplicate metadata key ", in_quotes(at->first));
    }

    /// Adds a tensor from its bytes (copied): little-endian, row-major.
    /// Throws Error for a name that is taken or cannot be written, or bytes that do not fit the shape.
    void add(std::string name, Dtype dtype, std::vector<Index> shape, std::span<const std::byte> bytes) {
        if (name == "__metadata__" || !is_utf8(name)) {
            fail("safetensors: no tensor can be named ", in_quotes(name));
        }
        std::size_t expected = 0;
        if (!detail::tensor_bytes(dtype, shape, expected) || expected != bytes.size()) {
            fail("safetensors: tensor ", in_quotes(name), " of shape ", detail::shape_text(shape),
                 " and dtype ", dtype_name(dtype), " was given ", bytes.size(), " bytes");
        }
        const auto [at, is_new] =
            tensors_.try_emplace(Key{-static_cast<int>(dtype_size(dtype)), std::move(name)});
        if (!is_new || !names_.insert(at->first.name).second) {
            fail("safetensors: duplicate tensor ", in_quotes(at->first.name));
        }
        at->second = {dtype, std::move(shape), {bytes.begin(), bytes.end()}};
    }

    /// Adds a tensor from anything with `data()` and `size()` in one piece: a vector, a span, an Eigen matrix
    /// or map. The values are taken in the order of memory and are the row-major values of `shape`.
    template <class Values>
    void add(std::string name, std::vector<Index> shape, const Values& values) {
        if constexpr (requires { values.innerStride(); }) {
            const bool in_one_piece =
                values.innerStride() == 1 &&
                (values.rows() == 1 || values.cols() == 1 || values.outerStride() == values.innerSize());
            if (!in_one_piece) {
                fail("safetensors: the values of tensor ", in_quotes(name), " are not in one piece");
            }
        }
        const std::span all(values.data(), static_cast<std::size_t>(values.size()));
        using Value = std::remove_cv_t<typename decltype(all)::element_type>;
        add(std::move(name), dtype_of<Value>(), std::move(shape), std::as_bytes(all));
    }

    /// The file. Throws Error when the header would exceed `header_limit`: a reader would refuse it.
    std::string bytes(std::size_t header_limit = default_header_limit) const {
        std::string file(8, '\0');
        append_header(file);
        file.append((8 - file.size() % 8) % 8, ' ');
        const std::uint64_t header_size = file.size() - 8;
        if (header_size > header_limit) {
            fail("safetensors: header of ", header_size, " bytes, the limit is ", header_limit);
        }
        std::memcpy(file.data(), &header_size, 8);
        for (const auto& [key, tensor] : tensors_) {
            const auto* const data = reinterpret_cast<const char*>(tensor.bytes.data());
            file.append(data, data + tensor.bytes.size());
        }
        return file;
    }

    /// Writes the file whole or not at all. Throws Error.
    void save(const std::string& path, std::size_t header_limit = default_header_limit) const {
        write_file(path, bytes(header_limit));
    }

private:
    struct Key {
        int order;  // minus the alignment
        std::string name;
        auto operator<=>(const Key&) const = default;
    };
    struct Tensor {
        Dtype dtype;
        std::vector<Index> shape;
        std::vector<std::byte> bytes;
    };

    void append_header(std::string& file) const {
        const char* separator = "{";
        if (!metadata_.empty()) {
            file += R"({"__metadata__":)";
            for (const auto& [key, value] : metadata_) {
                file += separator;
                append_json_string(file, key);
                file += ':';
                append_json_string(file, value);
                separator = ",";
            }
            file += '}';
            separator = ",";
        }
        std::size_t begin = 0;
        for (const auto& [key, tensor] : tensors_) {
            file += separator;
            append_json_string(file, key.name);
            file += R"(:{"dtype":")";
            file += dtype_name(tensor.dtype);
            file += R"(","shape":[)";
            for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
                if (i > 0) file += ',';
                file += std::to_string(tensor.shape[i]);
            }
            const std::size_t end = begin + tensor.bytes.size();
            file += R"(],"data_offsets":[)" + std::to_string(begin) + ',' + std::to_string(end) + "]}";
            begin = end;
            separator = ",";
        }
        file += metadata_.empty() && tensors_.empty() ? "{}" : "}";
    }

    Metadata metadata_;
    std::map<Key, Tensor> tensors_;
    std::set<std::string> names_;  // two tensors of one name may differ in their keys' order
};

}  // namespace untoward::io
