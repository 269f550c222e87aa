// Which instruction set the kernels use. The environment variable FASTREMAP_ISA, read once, forces one.
#pragma once

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define FASTREMAP_X86 1
#else
#define FASTREMAP_X86 0
#endif

namespace fastremap {

// In order of preference, the last one first.
enum class Isa { scalar, avx2, avx512 };

inline constexpr const char* isa_names[] = {"scalar", "avx2", "avx512"};

inline Isa best_isa() {
#if FASTREMAP_X86
    // "avx512" stands for what servers have since Ice Lake and Zen 4.
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("avx512vpopcntdq"))
        return Isa::avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")) return Isa::avx2;
#endif
    return Isa::scalar;
}

inline Isa chosen_isa() {
    const char* name = std::getenv("FASTREMAP_ISA");
    if (name == nullptr || *name == '\0') return best_isa();
    for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
        if (isa <= best_isa() && std::strcmp(name, isa_names[static_cast<int>(isa)]) == 0) return isa;
    throw std::invalid_argument(std::string("FASTREMAP_ISA=") + name + " is not available; the best of scalar, avx2, " +
                                "avx512 on this machine is " + isa_names[static_cast<int>(best_isa())]);
}

inline Isa isa() {
    static const Isa chosen = chosen_isa();
    return chosen;
}

}  // namespace fastremap

// The function of this name in the namespace of the instruction set in use (scalar, avx2, avx512).
#if FASTREMAP_X86
#define FASTREMAP_CHOOSE(...)                                                              \
    (::fastremap::isa() == ::fastremap::Isa::avx512 ? ::fastremap::avx512::__VA_ARGS__     \
     : ::fastremap::isa() == ::fastremap::Isa::avx2 ? ::fastremap::avx2::__VA_ARGS__       \
                                                    : ::fastremap::scalar::__VA_ARGS__)
#else
#define FASTREMAP_CHOOSE(...) (::fastremap::scalar::__VA_ARGS__)
#endif
