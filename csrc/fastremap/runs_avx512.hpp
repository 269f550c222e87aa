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

// Labels of one register: the mask of those that differ from their successor, and those moved together.
template <class Label>
FASTREMAP_AVX512 inline std::uint64_t compress_ends(const Label* labels, Label* keys) {
    const __m512i here = _mm512_loadu_si512(labels);
    const __m512i next = _mm512_loadu_si512(labels + 1);
    if constexpr (sizeof(Label) == 8) {
        const __mmask8 ends = _mm512_cmpneq_epi64_mask(here, next);
        _mm512_storeu_si512(keys, _mm512_maskz_compress_epi64(ends, here));
        return ends;
    } else if constexpr (sizeof(Label) == 4) {
        const __mmask16 ends = _mm512_cmpneq_epi32_mask(here, next);
        _mm512_storeu_si512(keys, _mm512_maskz_compress_epi32(ends, here));
        return ends;
    } else if constexpr (sizeof(Label) == 2) {
        const __mmask32 ends = _mm512_cmpneq_epi16_mask(here, next);
        _mm512_storeu_si512(keys, _mm512_maskz_compress_epi16(ends, here));
        return ends;
    } else {
        const __mmask64 ends = _mm512_cmpneq_epi8_mask(here, next);
        _mm512_storeu_si512(keys, _mm512_maskz_compress_epi8(ends, here));
        return ends;
    }
}

template <class Label>
FASTREMAP_AVX512 std::size_t split(const Label* labels, std::size_t n, Label* keys, std::uint8_t* ends) {
    constexpr std::size_t n_lanes = 64 / sizeof(Label);
    std::size_t i = 0, run = 0;
    for (; i + n_lanes < n; i += n_lanes) {
        const std::uint64_t mask = compress_ends(labels + i, keys + run);
        std::memcpy(ends + i / 8, &mask, n_lanes / 8);
        run += static_cast<std::size_t>(_mm_popcnt_u64(mask));
    }
    return scalar::split_from(i, run, labels, n, keys, ends);
}

FASTREMAP_AVX512 inline void positions(const std::uint8_t* ends, std::size_t n, std::uint32_t* last) {
    __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    std::size_t i = 0, run = 0;
    for (; i + 16 <= n; i += 16) {
        std::uint16_t mask;
        std::memcpy(&mask, ends + i / 8, 2);
        _mm512_storeu_si512(last + run, _mm512_maskz_compress_epi32(mask, index));
        run += static_cast<std::size_t>(_mm_popcnt_u32(mask));
        index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
    }
    scalar::positions_from(i, run, ends, n, last);
}

template <class Out>
FASTREMAP_AVX512 void fill(const std::uint8_t* ends, std::size_t n, const value_of<Out>* values, Out* out) {
    std::size_t i = 0, run = 0;
    if constexpr (sizeof(Out) == 8) {
        const __m512i before = _mm512_setr_epi64(0, 1, 3, 7, 15, 31, 63, 127);  // the bits of the items before each
        for (; i + 8 <= n; i += 8) {
            const std::uint8_t mask = ends[i / 8];
            const __m512i at = _mm512_popcnt_epi64(_mm512_and_si512(_mm512_set1_epi64(mask), before));
            _mm512_storeu_si512(out + i, _mm512_permutexvar_epi64(at, _mm512_loadu_si512(values + run)));
            run += static_cast<std::size_t>(_mm_popcnt_u32(mask));
        }
    } else {
        const __m512i before = _mm512_setr_epi32(0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383,
                                                 32767);
        for (; i + 16 <= n; i += 16) {
            std::uint16_t mask;
            std::memcpy(&mask, ends + i / 8, 2);
            const __m512i at = _mm512_popcnt_epi32(_mm512_and_si512(_mm512_set1_epi32(mask), before));
            const __m512i filled = _mm512_permutexvar_epi32(at, _mm512_loadu_si512(values + run));
            if constexpr (sizeof(Out) == 4) _mm512_storeu_si512(out + i, filled);
            if constexpr (sizeof(Out) == 2)
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm512_cvtepi32_epi16(filled));
            if constexpr (sizeof(Out) == 1)
                _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm512_cvtepi32_epi8(filled));
            run += static_cast<std::size_t>(_mm_popcnt_u32(mask));
        }
    }
    scalar::fill_from(i, run, ends, n, values, out);
}

}  // namespace fastremap::avx512
