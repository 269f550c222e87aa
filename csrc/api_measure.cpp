#include "api.hpp"
#include "fastremap/digest.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/isa.hpp"
#include "fastremap/measure.hpp"

namespace fastremap::api {

const char* isa() { return isa_names[static_cast<int>(fastremap::isa())]; }

std::uint64_t digest(const void* items, const std::ptrdiff_t* strides, const std::size_t* dims, std::size_t n_dims,
                     std::size_t item_bytes) {
    return FASTREMAP_CHOOSE(digest)(static_cast<const char*>(items), dims, strides, n_dims, item_bytes);
}

void minmax(const void* items, char kind, std::size_t width, std::size_t n_items, void* lowest, void* highest) {
    visit_number(kind, width, [&](auto number) {
        using Number = decltype(number);
        const auto extremes = FASTREMAP_CHOOSE(minmax<Number>)(static_cast<const Number*>(items), n_items);
        *static_cast<Number*>(lowest) = extremes.lowest;
        *static_cast<Number*>(highest) = extremes.highest;
    });
}

std::size_t count_nonzero(const void* items, std::size_t width, std::size_t n_items, std::uint64_t significant) {
    return visit_width(width, [&](auto bits) {
        using Bits = decltype(bits);
        return FASTREMAP_CHOOSE(count_nonzero<Bits>)(static_cast<const Bits*>(items), n_items, static_cast<Bits>(significant));
    });
}

std::size_t count_equal_pairs(const void* items, std::size_t width, std::size_t n_items) {
    return visit_width(width, [&](auto bits) {
        using Bits = decltype(bits);
        return FASTREMAP_CHOOSE(count_equal_pairs<Bits>)(static_cast<const Bits*>(items), n_items);
    });
}

std::vector<std::int64_t> find_equal(const void* items, std::size_t width, std::size_t n_items, std::uint64_t wanted) {
    std::vector<std::int64_t> places;
    visit_width(width, [&](auto bits) {
        using Bits = decltype(bits);
        FASTREMAP_CHOOSE(find_equal<Bits>)(static_cast<const Bits*>(items), n_items, static_cast<Bits>(wanted), places);
    });
    return places;
}

bool all_equal(const void* items, std::size_t width, std::size_t n_items, std::uint64_t wanted) {
    return visit_width(width, [&](auto bits) {
        using Bits = decltype(bits);
        return FASTREMAP_CHOOSE(all_equal<Bits>)(static_cast<const Bits*>(items), n_items, static_cast<Bits>(wanted));
    });
}

bool is_ordered(const void* items, char kind, std::size_t width, std::size_t n_items, bool ascending) {
    return visit_number(kind, width, [&](auto number) {
        using Number = decltype(number);
        return FASTREMAP_CHOOSE(is_ordered<Number>)(static_cast<const Number*>(items), n_items, ascending);
    });
}

}  // namespace fastremap::api
