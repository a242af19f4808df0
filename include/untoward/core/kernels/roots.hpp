// SPDX-License-Identifier: MIT
// Square roots of a few lanes by the processor's own instruction, which rounds exactly: left to themselves compilers
// guard every root against errno, one number at a time. See core/kernels.hpp; empty on its own.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

#if UNTOWARD_KERNEL_BYTES >= 16 && defined(__SSE2__)
#if UNTOWARD_KERNEL_BYTES == 64 && defined(__clang__)
#define UNTOWARD_ROOTS_FLOAT(x) __builtin_ia32_sqrtps512(x, 4)
#define UNTOWARD_ROOTS_DOUBLE(x) __builtin_ia32_sqrtpd512(x, 4)
#elif UNTOWARD_KERNEL_BYTES == 64
#define UNTOWARD_ROOTS_FLOAT(x) __builtin_ia32_sqrtps512_mask(x, x, -1, 4)
#define UNTOWARD_ROOTS_DOUBLE(x) __builtin_ia32_sqrtpd512_mask(x, x, -1, 4)
#elif UNTOWARD_KERNEL_BYTES == 32
#define UNTOWARD_ROOTS_FLOAT(x) __builtin_ia32_sqrtps256(x)
#define UNTOWARD_ROOTS_DOUBLE(x) __builtin_ia32_sqrtpd256(x)
#else
#define UNTOWARD_ROOTS_FLOAT(x) __builtin_ia32_sqrtps(x)
#define UNTOWARD_ROOTS_DOUBLE(x) __builtin_ia32_sqrtpd(x)
#endif

// x[i] = sqrt(x[i])
UNTOWARD_INLINE void roots(float (&x)[lanes<float>]) {
    typedef float Anywhere __attribute__((vector_size(UNTOWARD_KERNEL_BYTES), aligned(4), may_alias));
    Anywhere* const v = reinterpret_cast<Anywhere*>(x);
    *v = UNTOWARD_ROOTS_FLOAT(*v);
}
UNTOWARD_INLINE void roots(double (&x)[lanes<double>]) {
    typedef double Anywhere __attribute__((vector_size(UNTOWARD_KERNEL_BYTES), aligned(8), may_alias));
    Anywhere* const v = reinterpret_cast<Anywhere*>(x);
    *v = UNTOWARD_ROOTS_DOUBLE(*v);
}

#undef UNTOWARD_ROOTS_FLOAT
#undef UNTOWARD_ROOTS_DOUBLE
#else
UNTOWARD_INLINE void roots(float (&x)[lanes<float>]) {
    for (Index l = 0; l < lanes<float>; ++l) x[l] = __builtin_sqrtf(x[l]);
}
UNTOWARD_INLINE void roots(double (&x)[lanes<double>]) {
    for (Index l = 0; l < lanes<double>; ++l) x[l] = __builtin_sqrt(x[l]);
}
#endif

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
