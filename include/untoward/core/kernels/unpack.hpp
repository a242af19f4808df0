// SPDX-License-Identifier: MIT
// Packed weights as numbers: see core/product.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

// As many as a vector has lanes.
template <class S, class Code>
UNTOWARD_INLINE void unpack_lanes(S* to, const Code* from, S scale) {
#ifndef __clang__
#pragma GCC ivdep
#endif
    for (Index l = 0; l < lanes<S>; ++l) to[l] = static_cast<S>(from[l]) * scale;
}
#ifdef UNTOWARD_KERNEL_TILES
template <class Code>
UNTOWARD_INLINE void unpack_lanes(float* to, const Code* from, float scale) {
    store(to, load(from) * scale);
}
#endif

template <class S, class Code>
void unpack(const UnpackedRows<S, Code>& u) {
    const Index columns = u.columns;
    S* to = u.to;
    const Code* from = u.codes;
    for (Index i = 0; i < u.rows; ++i, from += u.stride, to += columns) {
        const S scale = u.scales != nullptr ? static_cast<S>(u.scales[i]) : S(1);
        Index k = 0;
        for (; k + lanes<S> <= columns; k += lanes<S>) unpack_lanes(to + k, from + k, scale);
        for (; k < columns; ++k) to[k] = static_cast<S>(from[k]) * scale;
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
