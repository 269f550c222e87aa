// A digest of 64 bits of an array's items in C order, whatever its strides: to notice that an array has changed.
//
// Requires:   items that lie side by side along the last axis, and at most 64 axes, as numpy has them.
// Complexity: O(n); no extra bytes. Short rows are padded to a stripe of 256 bytes.
// Source:     own. Each lane is a chain of steps x -> (x ^ word) * odd, x ^= x >> 32, every one of which is a bijection
//             of its 64 bits, and so is the last chain over the lanes: a change of one word is always noticed. As in
//             FNV-1a (Fowler, Noll, Vo 1991) but by words, and with many lanes so that no step waits for the one before.
//             No protection against somebody who looks for two arrays with one digest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "isa.hpp"

namespace fastremap {

inline constexpr std::size_t digest_most_dims = 64;
inline constexpr std::size_t digest_lanes = 32, digest_stripe = 8 * digest_lanes;
inline constexpr std::uint64_t digest_factor = 0x9E3779B97F4A7C15;  // odd; 2^64 over the golden ratio

namespace scalar {
#include "digest_loops.inc"
}

#if FASTREMAP_X86
#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#include "digest_loops.inc"
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,prefer-vector-width=512")
namespace avx512 {
#include "digest_loops.inc"
}
#pragma GCC pop_options
#endif

}  // namespace fastremap
