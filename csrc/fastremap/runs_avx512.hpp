// The steps of runs.hpp for AVX-512 with VBMI2 and VPOPCNTDQ.
//
// mark:      a register of labels is compared with the one that begins one item later.
// positions: 64 indices of one byte are moved together in a register by the bits of those that end a run, and widened.
// pick:      the labels in front of a difference are moved together in the register and stored whole (the store that
//            compresses is microcoded on Zen 4).
// fill:      the run of an item is the number of run ends before it: a population count of the masked end bits, by
//            which the values of the runs are permuted.
// Included by runs.hpp.
#pragma once

#include <immintrin.h>

#include <array>
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

template <class Label>
FASTREMAP_AVX512 void mark(const Label* labels, std::size_t n, std::uint8_t* ends) {
    constexpr std::size_t n_lanes = 64 / sizeof(Label);
    const bool ahead = prefetches_in_order();
    std::size_t i = 0;
    for (; i + n_lanes < n; i += n_lanes) {
        if (ahead) prefetch_ahead<n_lanes>(labels + i);
        const __m512i here = _mm512_loadu_si512(labels + i);
        const std::uint64_t mask = differing<Label>(here, _mm512_loadu_si512(labels + i + 1));
        std::memcpy(ends + i / 8, &mask, n_lanes / 8);
    }
    if (i == n) return;
    const std::size_t n_rest = n - i;
    const std::uint64_t last = std::uint64_t{1} << (n_rest - 1);
    const std::uint64_t mask = differing<Label>(load(labels + i, n_rest), load(labels + i + 1, n_rest - 1)) | last;
    const std::uint64_t in_piece = mask & first_bits(n_rest);
    std::memcpy(ends + i / 8, &in_piece, n_lanes / 8);
}

alignas(64) inline constexpr auto places_in_word = [] {
    std::array<std::uint8_t, 64> places{};
    for (std::uint8_t i = 0; i < 64; ++i) places[i] = i;
    return places;
}();

template <class Label>
FASTREMAP_AVX512 std::size_t positions(const std::uint8_t* ends, std::size_t n, std::uint16_t* stops,
                                       const Label* labels) {
    const __m512i places = _mm512_load_si512(places_in_word.data());
    const bool ahead = sizeof(Label) < 8 && !prefetches_in_order();
    std::size_t run = 0;
    for (std::size_t i = 0; i < n; i += 64) {
        if (ahead) prefetch_ahead<64>(labels + i);
        std::uint64_t mask;
        std::memcpy(&mask, ends + i / 8, 8);
        const __m512i marked = _mm512_maskz_compress_epi8(mask, places);
        const __m512i after = _mm512_set1_epi16(static_cast<short>(i + 1));
        const __m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(marked));
        _mm512_storeu_si512(stops + run, _mm512_add_epi16(after, low));
        const auto n_marked = static_cast<std::size_t>(_mm_popcnt_u64(mask));
        if (n_marked > 32) {
            const __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(marked, 1));
            _mm512_storeu_si512(stops + run + 32, _mm512_add_epi16(after, high));
        }
        run += n_marked;
    }
    return run;
}

template <class Label>
FASTREMAP_AVX512 void pick(const Label* labels, const std::uint8_t* ends, std::size_t n, Label* keys) {
    constexpr std::size_t n_lanes = 64 / sizeof(Label);
    for (std::size_t i = 0; i < n; i += n_lanes) {
        std::uint64_t mask = 0;
        std::memcpy(&mask, ends + i / 8, n_lanes / 8);
        const __m512i here = i + n_lanes <= n ? _mm512_loadu_si512(labels + i) : load(labels + i, n - i);
        __m512i together;
        if constexpr (sizeof(Label) == 8) together = _mm512_maskz_compress_epi64(static_cast<__mmask8>(mask), here);
        if constexpr (sizeof(Label) == 4) together = _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), here);
        if constexpr (sizeof(Label) == 2) together = _mm512_maskz_compress_epi16(static_cast<__mmask32>(mask), here);
        if constexpr (sizeof(Label) == 1) together = _mm512_maskz_compress_epi8(mask, here);
        _mm512_storeu_si512(keys, together);
        keys += _mm_popcnt_u64(mask);
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
