// Maps bytes through a table of 256 entries.
//
// What:       out[i] = table[items[i]].
// Requires:   256 entries; `out` may be `items`.
// Complexity: O(n); no extra bytes.
// Source:     own; with AVX-512 VBMI the table stays in four registers, and two permutations look 64 bytes up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"
#include "memory.hpp"

#if FASTREMAP_X86
#include <immintrin.h>
#endif

namespace fastremap {
namespace scalar {

inline void map_bytes(const std::uint8_t* items, std::size_t n, const std::uint8_t* table, std::uint8_t* out) {
    for (std::size_t i = 0; i < n; ++i) out[i] = table[items[i]];
}

}  // namespace scalar

#if FASTREMAP_X86
namespace avx2 {

using scalar::map_bytes;

}  // namespace avx2

namespace avx512 {

__attribute__((target("avx512f,avx512bw,avx512vbmi"))) inline void map_bytes(const std::uint8_t* items, std::size_t n,
                                                                             const std::uint8_t* table,
                                                                             std::uint8_t* out) {
    const __m512i quarters[] = {_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64),
                                _mm512_loadu_si512(table + 128), _mm512_loadu_si512(table + 192)};
    const bool ahead = prefetches_in_order();
    std::size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        if (ahead) prefetch_ahead<64>(items + i);
        const __m512i at = _mm512_loadu_si512(items + i);
        const __m512i low = _mm512_permutex2var_epi8(quarters[0], at, quarters[1]);  // by the lowest 7 bits
        const __m512i high = _mm512_permutex2var_epi8(quarters[2], at, quarters[3]);
        _mm512_storeu_si512(out + i, _mm512_mask_blend_epi8(_mm512_movepi8_mask(at), low, high));
    }
    scalar::map_bytes(items + i, n - i, table, out + i);
}

}  // namespace avx512
#endif
}  // namespace fastremap
