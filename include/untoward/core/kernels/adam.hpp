// SPDX-License-Identifier: MIT
// Adam's step over whole vectors: see train/adam.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

template <class S>
void adam(const AdamVectors<S>& a) {
    for (Index i = 0; i < a.size; i += lanes) {
        const Index some = a.size - i < lanes ? a.size - i : lanes;
        const S* from[] = {a.parameters + i, a.gradient + i, a.first + i, a.second + i};
        S filled[4][lanes];
        if (some < lanes) {
            for (int k = 0; k < 4; ++k) {
                for (Index l = 0; l < lanes; ++l) filled[k][l] = from[k][l < some ? l : some - 1];
                from[k] = filled[k];
            }
        }
        alignas(64) S first[lanes];
        alignas(64) S second[lanes];
        alignas(64) S root[lanes];
        alignas(64) S parameter[lanes];
        for (Index l = 0; l < lanes; ++l) {
            const S g = from[1][l];
            first[l] = a.beta1 * from[2][l] + (1 - a.beta1) * g;
            second[l] = a.beta2 * from[3][l] + (1 - a.beta2) * (g * g);
            root[l] = second[l];
        }
        roots(root);
        for (Index l = 0; l < lanes; ++l)
            parameter[l] = a.keep * from[0][l] - a.rate * first[l] / (root[l] * a.root_factor + a.epsilon);
        if (some < lanes) {
            for (Index l = 0; l < some; ++l) {
                a.parameters[i + l] = parameter[l];
                a.first[i + l] = first[l];
                a.second[i + l] = second[l];
            }
        } else {
            __builtin_memcpy(a.parameters + i, parameter, sizeof parameter);
            __builtin_memcpy(a.first + i, first, sizeof first);
            __builtin_memcpy(a.second + i, second, sizeof second);
        }
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
