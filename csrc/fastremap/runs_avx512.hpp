// The steps of runs.hpp for AVX-512 with VBMI2 and VPOPCNTDQ.
//
// split:     a register of labels is compared with the one that begins one item later; the labels in front of a
//            difference are moved together in the register and stored whole (the store that compresses is microcoded
//            on Zen 4).
// fill:      the run of an item is the number of run ends before it: a population count of the masked end bits, by
//            which the values of the runs are permuted.
// Included by runs.hpp.
#pragma once

#include <immintrin.h>

#include <cstring>

#define FASTREMAP_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,avx512vpopcntdq,popcnt,bmi2")))

namespace fastremap::avx512 {

// The first n <= 64 bits.
inline std::uint64_t first_bits(std::size_t n) { return n == 0 ? 0 : ~std::uint64_t{0} >> (64 - n); }

// The first n labels; those after them are not touched, and count as 0.
template <class Label>
FASTREMAP_AVX512 inline __m512i load(const Label* labels, std::size_t n) {
    const std::uint64_t lanes = first_bits(n);
    if constexpr (sizeof(Label) == 8) return _mm512_maskz_loadu_epi64(static_cast<__mmask8>(lanes), labels);
    if constexpr (sizeof(Label) == 4) return _mm512_maskz_loadu_epi32(static_cast<__mmask16>(lanes), labels);
    if constexpr (sizeof(Label) == 2) return _mm512_maskz_loadu_epi16(static_cast<__mmask32>(lanes), labels);
    if constexpr (sizeof(Label) == 1) return _mm512_maskz_loadu_epi8(lanes, labels);
}

template <class Label>
FASTREMAP_AVX512 inline std::uint64_t differing(__m512i first, __m512i second) {
    if constexpr (sizeof(Label) == 8) return _mm512_cmpneq_epi64_mask(first, second);
    if constexpr (sizeof(Label) == 4) return _mm512_cmpneq_epi32_mask(first, second);
    if constexpr (sizeof(Label) == 2) return _mm512_cmpneq_epi16_mask(first, second);
    if constexpr (sizeof(Label) == 1) return _mm512_cmpneq_epi8_mask(first, second);
}

// Stores the labels that end runs, moved together, and their bits; returns how many there are.
template <class Label>
FASTREMAP_AVX512 inline std::size_t store_ends(std::uint64_t mask, __m512i labels, Label* keys, std::uint8_t* ends) {
    __m512i together;
    if constexpr (sizeof(Label) == 8) together = _mm512_maskz_compress_epi64(static_cast<__mmask8>(mask), labels);
    if constexpr (sizeof(Label) == 4) together = _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), labels);
    if constexpr (sizeof(Label) == 2) together = _mm512_maskz_compress_epi16(static_cast<__mmask32>(mask), labels);
    if constexpr (sizeof(Label) == 1) together = _mm512_maskz_compress_epi8(mask, labels);
    _mm512_storeu_si512(keys, together);
    std::memcpy(ends, &mask, 8 / sizeof(Label));
    return static_cast<std::size_t>(_mm_popcnt_u64(mask));
}

template <class Label>
FASTREMAP_AVX512 std::size_t split(const Label* labels, std::size_t n, Label* keys, std::uint8_t* ends) {
    constexpr std::size_t n_lanes = 64 / sizeof(Label);
    std::size_t i = 0, run = 0;
    for (; i + n_lanes < n; i += n_lanes) {
        const __m512i here = _mm512_loadu_si512(labels + i);
        const std::uint64_t mask = differing<Label>(here, _mm512_loadu_si512(labels + i + 1));
        run += store_ends(mask, here, keys + run, ends + i / 8);
    }
    if (i == n) return run;
    const std::size_t n_rest = n - i;
    const __m512i here = load(labels + i, n_rest);
    const std::uint64_t last = std::uint64_t{1} << (n_rest - 1);
    const std::uint64_t mask = differing<Label>(here, load(labels + i + 1, n_rest - 1)) | last;
    return run + store_ends(mask & first_bits(n_rest), here, keys + run, ends + i / 8);
}

FASTREMAP_AVX512 inline void positions(const std::uint8_t* ends, std::size_t n, std::uint32_t* last) {
    __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    std::size_t i = 0, run = 0;
    for (; i < n; i += 16) {  // what the last bits beyond n make comes after all that counts
        std::uint16_t mask;
        std::memcpy(&mask, ends + i / 8, 2);
        _mm512_storeu_si512(last + run, _mm512_maskz_compress_epi32(mask, index));
        run += static_cast<std::size_t>(_mm_popcnt_u32(mask));
        index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
    }
}

// Writes the first n of the values of a register, cut down to the width of Out.
template <class Out>
FASTREMAP_AVX512 inline void store(Out* out, __m512i values, std::size_t n) {
    const auto lanes = static_cast<__mmask16>(first_bits(n));
    if constexpr (sizeof(Out) == 8) _mm512_mask_storeu_epi64(out, static_cast<__mmask8>(lanes), values);
    if constexpr (sizeof(Out) == 4) _mm512_mask_storeu_epi32(out, lanes, values);
    if constexpr (sizeof(Out) == 2) _mm256_mask_storeu_epi16(out, lanes, _mm512_cvtepi32_epi16(values));
    if constexpr (sizeof(Out) == 1) _mm_mask_storeu_epi8(out, lanes, _mm512_cvtepi32_epi8(values));
}

// The values of the items of a register, by the bits of those that end a run.
template <class Out>
FASTREMAP_AVX512 inline __m512i spread(std::uint16_t mask, const value_of<Out>* values) {
    if constexpr (sizeof(Out) == 8) {
        const __m512i before = _mm512_setr_epi64(0, 1, 3, 7, 15, 31, 63, 127);  // the bits of the items before each
        const __m512i at = _mm512_popcnt_epi64(_mm512_and_si512(_mm512_set1_epi64(mask), before));
        return _mm512_permutexvar_epi64(at, _mm512_loadu_si512(values));
    } else {
        const __m512i before = _mm512_setr_epi32(0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383,
                                                 32767);
        const __m512i at = _mm512_popcnt_epi32(_mm512_and_si512(_mm512_set1_epi32(mask), before));
        return _mm512_permutexvar_epi32(at, _mm512_loadu_si512(values));
    }
}

template <class Out>
FASTREMAP_AVX512 void fill(const std::uint8_t* ends, std::size_t n, const value_of<Out>* values, Out* out) {
    constexpr std::size_t n_lanes = sizeof(Out) == 8 ? 8 : 16;
    std::size_t i = 0;
    std::uint16_t mask = 0;
    for (; i + n_lanes <= n; i += n_lanes) {
        std::memcpy(&mask, ends + i / 8, n_lanes / 8);
        store(out + i, spread<Out>(mask, values), n_lanes);
        values += _mm_popcnt_u32(mask);
    }
    std::memcpy(&mask, ends + i / 8, n_lanes / 8);
    store(out + i, spread<Out>(mask, values), n - i);
}

}  // namespace fastremap::avx512
