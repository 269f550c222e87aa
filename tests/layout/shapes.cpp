// Reverses arrays of every small shape in place and compares each item with where index arithmetic puts it.
//
//     shapes SIZES4 SIZES5...    exits with 1 at the first shape that is wrong
#include <cstdint>
#include <cstdio>
#include <vector>

#include "ipt.hpp"

namespace {

// With little scratch the planner must do without panels, and goes by squares, cycles and tails.
template <class Item>
bool is_reversed(const std::vector<std::size_t>& shape, std::size_t scratch_nbytes) {
    const std::size_t n_items = ipt::product(shape);
    std::vector<Item> items(n_items);
    // A permuted count that no two items of a small array share, as far as the width allows.
    auto value = [](std::size_t i) { return static_cast<Item>(i * 0x9E3779B97F4A7C15u >> 23 ^ i); };
    for (std::size_t i = 0; i < n_items; ++i) items[i] = value(i);
    ipt::reverse_axes(items.data(), shape.data(), shape.size(), sizeof(Item), scratch_nbytes);
    for (std::size_t i = 0; i < n_items; ++i) {
        std::size_t target = 0, scale = 1, rest = i;
        std::vector<std::size_t> index(shape.size());
        for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) index[axis] = rest % shape[axis];
        for (std::size_t axis = 0; axis < shape.size(); scale *= shape[axis++]) target += index[axis] * scale;
        if (items[target] != value(i)) return false;
    }
    return true;
}

bool check(const std::vector<std::size_t>& shape) {
    if (is_reversed<std::uint8_t>(shape, 0) && is_reversed<std::uint64_t>(shape, 0)) return true;
    std::printf("wrong:");
    for (std::size_t n : shape) std::printf(" %zu", n);
    std::printf("\n");
    return false;
}

// Every shape of n_axes sizes.
bool check_all(const std::vector<std::size_t>& sizes, std::size_t n_axes, std::vector<std::size_t>& shape) {
    if (shape.size() == n_axes) return check(shape);
    for (std::size_t n : sizes) {
        shape.push_back(n);
        if (!check_all(sizes, n_axes, shape)) return false;
        shape.pop_back();
    }
    return true;
}

}  // namespace

int main() {
    std::vector<std::size_t> to_17(17), shape;
    for (std::size_t i = 0; i < to_17.size(); ++i) to_17[i] = i + 1;
    for (std::size_t n_axes = 1; n_axes <= 4; ++n_axes)
        if (!check_all(to_17, n_axes, shape)) return 1;
    if (!check_all({1, 2, 3, 5, 8, 17}, 5, shape)) return 1;
    std::printf("all shapes are right\n");
}
