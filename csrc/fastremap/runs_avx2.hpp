// The steps of runs.hpp for AVX2, eight items at a time.
//
// As in runs_avx512.hpp, but the permutations that move the marked items of a byte together, and that repeat them,
// come from two tables of 256 rows. Labels of 1 and 2 bytes take the scalar pick.
// Included by runs.hpp.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstring>

#define FASTREMAP_AVX2 __attribute__((target("avx2,popcnt")))

namespace fastremap::avx2 {

using Rows = std::array<std::array<std::uint8_t, 8>, 256>;

// Row m: the places of the bits that are set in m, ascending.
inline constexpr Rows places_of_bits = [] {
    Rows rows{};
    for (int mask = 0; mask < 256; ++mask)
        for (std::uint8_t bit = 0, n = 0; bit < 8; ++bit)
            if (mask >> bit & 1) rows[mask][n++] = bit;
    return rows;
}();

// Row m: for each place the number of bits set in m before it.
inline constexpr Rows bits_before = [] {
    Rows rows{};
    for (int mask = 0; mask < 256; ++mask)
        for (std::uint8_t bit = 0, n = 0; bit < 8; ++bit) {
            rows[mask][bit] = n;
            n = static_cast<std::uint8_t>(n + (mask >> bit & 1));
        }
    return rows;
}();

// 8, 16 and 32 bytes.
FASTREMAP_AVX2 inline __m128i load8(const void* from) { return _mm_loadl_epi64(static_cast<const __m128i*>(from)); }
FASTREMAP_AVX2 inline __m128i load16(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
FASTREMAP_AVX2 inline __m256i load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

FASTREMAP_AVX2 inline __m256i row(const Rows& rows, std::uint8_t mask) {
    return _mm256_cvtepu8_epi32(load8(rows[mask].data()));
}

FASTREMAP_AVX2 inline void store(void* to, __m256i items) { _mm256_storeu_si256(static_cast<__m256i*>(to), items); }

// Indices of 8-byte items as pairs of indices of 4-byte items.
FASTREMAP_AVX2 inline __m256i pairs_of(__m128i at) {
    const __m256i low = _mm256_slli_epi64(_mm256_cvtepu32_epi64(at), 1);
    return _mm256_or_si256(low, _mm256_slli_epi64(_mm256_add_epi64(low, _mm256_set1_epi64x(1)), 32));
}

// Four 8-byte items permuted by the first four entries of a row.
FASTREMAP_AVX2 inline __m256i permute4(__m256i items, const Rows& rows, std::uint8_t mask) {
    return _mm256_permutevar8x32_epi32(items, pairs_of(_mm256_castsi256_si128(row(rows, mask))));
}

// The bits of eight labels that differ from their successors.
template <class Label>
FASTREMAP_AVX2 inline std::uint8_t differing(const Label* labels) {
    std::uint32_t equal = 0;
    if constexpr (sizeof(Label) == 1) {
        equal = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(load8(labels), load8(labels + 1))));
    } else if constexpr (sizeof(Label) == 2) {
        const __m128i same = _mm_cmpeq_epi16(load16(labels), load16(labels + 1));
        equal = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(same, same)));
    } else if constexpr (sizeof(Label) == 4) {
        const __m256i same = _mm256_cmpeq_epi32(load(labels), load(labels + 1));
        equal = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(same)));
    } else {
        const __m256i low = _mm256_cmpeq_epi64(load(labels), load(labels + 1));
        const __m256i high = _mm256_cmpeq_epi64(load(labels + 4), load(labels + 5));
        equal = static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(low)) |
                                           _mm256_movemask_pd(_mm256_castsi256_pd(high)) << 4);
    }
    return static_cast<std::uint8_t>(~equal);
}

template <class Label>
FASTREMAP_AVX2 void mark(const Label* labels, std::size_t n, std::uint8_t* ends) {
    constexpr std::size_t n_in_line = 64 / sizeof(Label);
    const bool ahead = prefetches_in_order();
    std::size_t i = 0;
    for (; i + 8 < n; i += 8) {
        if (ahead && i % n_in_line == 0) prefetch_ahead<n_in_line>(labels + i);
        ends[i / 8] = differing(labels + i);
    }
    scalar::mark_from(i, labels, n, ends);
}

template <class Label>
FASTREMAP_AVX2 std::size_t positions(const std::uint8_t* ends, std::size_t n, std::uint16_t* stops,
                                     const Label* labels) {
    const bool ahead = sizeof(Label) < 8 && !prefetches_in_order();
    std::size_t run = 0;
    for (std::size_t i = 0; i < n; i += 8) {
        if (ahead && i % 64 == 0) prefetch_ahead<64>(labels + i);
        const __m128i places = _mm_cvtepu8_epi16(load8(places_of_bits[ends[i / 8]].data()));
        const __m128i after = _mm_add_epi16(places, _mm_set1_epi16(static_cast<short>(i + 1)));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(stops + run), after);
        run += static_cast<std::size_t>(_mm_popcnt_u32(ends[i / 8]));
    }
    return run;
}

template <class Label>
FASTREMAP_AVX2 void pick(const Label* labels, const std::uint8_t* ends, std::size_t n, Label* keys) {
    std::size_t i = 0, run = 0;
    if constexpr (sizeof(Label) >= 4) {
        for (; i + 8 <= n; i += 8) {
            const std::uint8_t mask = ends[i / 8];
            if constexpr (sizeof(Label) == 4) {
                store(keys + run, _mm256_permutevar8x32_epi32(load(labels + i), row(places_of_bits, mask)));
            } else {
                const auto low = static_cast<std::uint8_t>(mask & 15), high = static_cast<std::uint8_t>(mask >> 4);
                store(keys + run, permute4(load(labels + i), places_of_bits, low));
                store(keys + run + _mm_popcnt_u32(low), permute4(load(labels + i + 4), places_of_bits, high));
            }
            run += static_cast<std::size_t>(_mm_popcnt_u32(mask));
        }
    }
    scalar::pick_from(i, run, labels, ends, n, keys);
}

template <class Out>
FASTREMAP_AVX2 void fill(const std::uint8_t* ends, std::size_t n, const value_of<Out>* values, Out* out) {
    std::size_t i = 0, run = 0;
    for (; i + 8 <= n; i += 8) {
        const std::uint8_t mask = ends[i / 8];
        if constexpr (sizeof(Out) == 8) {
            const auto low = static_cast<std::uint8_t>(mask & 15), high = static_cast<std::uint8_t>(mask >> 4);
            store(out + i, permute4(load(values + run), bits_before, low));
            const std::size_t middle = run + static_cast<std::size_t>(_mm_popcnt_u32(low));
            store(out + i + 4, permute4(load(values + middle), bits_before, high));
        } else {
            const __m256i filled = _mm256_permutevar8x32_epi32(load(values + run), row(bits_before, mask));
            if constexpr (sizeof(Out) == 4) {
                store(out + i, filled);
            } else {
                // Cut down within each half, then bring the halves together.
                const __m256i bytes = sizeof(Out) == 2
                    ? _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1,
                                       0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1)
                    : _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                       0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
                const __m256i cut = _mm256_shuffle_epi8(filled, bytes);
                const __m128i low = _mm256_castsi256_si128(cut), high = _mm256_extracti128_si256(cut, 1);
                const __m128i both = sizeof(Out) == 2 ? _mm_unpacklo_epi64(low, high) : _mm_unpacklo_epi32(low, high);
                std::memcpy(out + i, &both, 8 * sizeof(Out));
            }
        }
        run += static_cast<std::size_t>(_mm_popcnt_u32(mask));
    }
    scalar::fill_from(i, run, ends, n, values, out);
}

}  // namespace fastremap::avx2
