// Measures that one pass over an array gives: extremes, counts, and the first item that breaks a rule.
//
// Requires:   a contiguous array; minmax a non-empty one.
// Complexity: O(n); no extra bytes. Independent lanes let the compiler use vector registers, for floats too.
// Source:     own; plain loops (measure_loops.inc), compiled once for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "dtype.hpp"
#include "isa.hpp"
#include "memory.hpp"

namespace fastremap {

template <class Number>
struct Extremes {
    Number lowest, highest;
};

// Loops that may end early go on block by block, within which they do not branch, so that they vectorise.
inline constexpr std::size_t stop_block = 4096;

namespace scalar {
#include "measure_loops.inc"
}

#if FASTREMAP_X86
#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#include "measure_loops.inc"
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,prefer-vector-width=512")
namespace avx512 {
#include "measure_loops.inc"
}
#pragma GCC pop_options
#endif

}  // namespace fastremap
