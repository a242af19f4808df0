// SPDX-License-Identifier: MIT
// A fault of g++ 12, without the library. At -O3 its if-conversion makes the condition of an addition its mask,
// _1 = .COND_ADD(add, value, old, value), which is right for numbers. Here they are vectors, whose mask in AVX-512 has a
// bit for every lane; `add` is 1, and so the first lane alone is added to. Right at -O2, with -fno-tree-slp-vectorize,
// with vectors that AVX-512 has no mask for, and by clang. The kernels of core/kernels/ are written so that no such
// condition arises: see core/kernels/apply.hpp.
//
//     g++ -O3 -mavx512f conditional_vectors.cpp && ./a.out        # 101 1 1 1 ... where it is wrong
#include <cstdio>

typedef float Vector __attribute__((vector_size(64)));

#if defined(__x86_64__)
__attribute__((noinline, target("avx512f")))
#else
__attribute__((noinline))
#endif
void
assign_or_add(Vector* y, const float* x, long n, bool add) {
    for (long i = 0; i < n; ++i) {
        Vector value;
        for (int l = 0; l < 16; ++l) value[l] = x[16 * i + l];
        if (add) value += y[i];
        y[i] = value;
    }
}

int main() {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512f")) return std::puts("this processor has no AVX-512"), 0;
#endif
    float x[16];
    Vector y;
    for (int l = 0; l < 16; ++l) x[l] = 1, y[l] = 100;
    assign_or_add(&y, x, 1, true);
    bool is_right = true;
    for (int l = 0; l < 16; ++l) {
        std::printf("%g ", static_cast<double>(y[l]));
        is_right = is_right && y[l] == 101;
    }
    std::puts(is_right ? "right" : "wrong");
}
