// Reverses arrays of every small shape in place and compares each item with where index arithmetic puts it.
//
//     shapes [few]    exits with 1 at the first shape that is wrong; `few` leaves out most sizes
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

#include "ipt.hpp"

namespace {

using Shape = std::vector<std::size_t>;
using Reverse = std::function<void(char* arr, const Shape& shape, std::size_t item_nbytes)>;

void by_default(char* arr, const Shape& shape, std::size_t item_nbytes) {
    ipt::reverse_axes(arr, shape.data(), shape.size(), item_nbytes);
}

// Scratch for a bit per item and little more: the planner must do without panels.
void without_panels(char* arr, const Shape& shape, std::size_t item_nbytes) {
    ipt::run(ipt::plan(shape, item_nbytes, ipt::product(shape) / 8 + 8 + 64 * item_nbytes), arr);
}

// As for sizes that no tile divides: the last entry of an axis is laid aside.
void with_tail(char* arr, const Shape& shape, std::size_t item_nbytes, bool first) {
    Shape axes;
    for (std::size_t n : shape)
        if (n > 1) axes.push_back(n);
    if (axes.size() < 2) return by_default(arr, shape, item_nbytes);
    Shape rest = axes;
    --(first ? rest.front() : rest.back());
    const auto inner = ipt::plan(rest, item_nbytes, ipt::default_scratch(0));
    if (ipt::tail_nbytes(inner) != 0) return by_default(arr, shape, item_nbytes);  // one tail at a time
    ipt::run(ipt::with_tail(axes, item_nbytes, 1, first, inner), arr);
}

// As for sizes that a tile does not divide, with room left for its tails.
void with_gaps(char* arr, const Shape& shape, std::size_t item_nbytes, bool first) {
    const bool has_two = shape.size() == 2 && shape[0] > 1 && shape[1] > 1;
    const std::size_t n = has_two ? (first ? shape[0] : shape[1]) : 0;
    for (std::size_t tile = 2; tile < n; ++tile)
        if (n % tile != 0) return ipt::run(ipt::with_gaps(shape[0], shape[1], tile, first, item_nbytes), arr);
    by_default(arr, shape, item_nbytes);
}

// The largest divisor but n itself, that makes at least two tiles.
std::size_t tile_of(std::size_t n) {
    std::size_t tile = n / 2;
    while (tile > 1 && n % tile != 0) --tile;
    return tile;
}

// Panels that move, before cycles or behind them, in each of `shape[0]` groups if there are three axes.
void moving(char* arr, const Shape& shape, std::size_t unit, bool before) {
    const std::size_t n_axes = shape.size(), groups = n_axes == 3 ? shape[0] : 1;
    if (n_axes < 2) return;
    const std::size_t rows = shape[n_axes - 2], columns = shape[n_axes - 1], tile = tile_of(before ? rows : columns);
    if (tile < 2 || rows == 1 || columns == 1) return by_default(arr, shape, unit);
    const std::size_t n = (before ? rows : columns) / tile;
    ipt::Plan plan;
    if (before)
        plan = {ipt::panel_pass(groups * n, {tile, columns}, {1, 0}, unit),
                ipt::cycle_pass(groups, n, columns, tile * unit)};
    else
        plan = {ipt::cycle_pass(groups, rows, n, tile * unit),
                ipt::panel_pass(groups * n, {rows, tile}, {1, 0}, unit)};
    if (groups > 1) plan.push_back(ipt::cycle_pass(1, groups, rows * columns, unit));
    ipt::run(ipt::moved(plan), arr);
}

void moving_with_gaps(char* arr, const Shape& shape, std::size_t unit, bool first) {
    const std::size_t n = first ? shape[0] : shape[1];
    for (std::size_t tile = 16; 2 * tile < n; ++tile)
        if (n % tile != 0 && shape[0] > 1 && shape[1] > 1)
            return ipt::run(ipt::moved(ipt::with_gaps(shape[0], shape[1], tile, first, unit)), arr);
    by_default(arr, shape, unit);
}

// Squares, or palindromes, whatever the planner would choose.
void as_squares(char* arr, const Shape& shape, std::size_t unit) {
    if (shape.front() != shape.back() || shape.size() < 2) return by_default(arr, shape, unit);
    const std::size_t between = shape.size() == 3 ? shape[1] : 1;
    ipt::run({ipt::square_pass(1, shape[0], between, unit)}, arr);
}

// Planned as for any processor.
void as_on(ipt::Processor processor, char* arr, const Shape& shape, std::size_t unit) {
    ipt::run(ipt::plan(shape, unit, ipt::default_scratch(0), processor), arr);
}

// Through a copy of which every axis has the strides of the result.
void out_of_place(char* arr, const Shape& shape, std::size_t item_nbytes, bool past_cache) {
    const Shape reversed(shape.rbegin(), shape.rend());
    const std::vector<char> before(arr, arr + ipt::product(shape) * item_nbytes);
    auto strides = ipt::strides_of(shape, item_nbytes);
    std::reverse(strides.begin(), strides.end());
    const auto targets = ipt::strides_of(reversed, item_nbytes);
    std::vector<ipt::Axis> axes;
    for (std::size_t i = 0; i < shape.size(); ++i) axes.push_back({reversed[i], strides[i], targets[i]});
    const ipt::Relayout relayout(axes, item_nbytes);
    if (past_cache && ipt::Relayout::suits(relayout))
        relayout(before.data(), arr);
    else
        ipt::copy_axes(before.data(), strides.data(), arr, reversed.data(), reversed.size(), item_nbytes);
}

template <class Item>
bool is_right(const Shape& shape, const Reverse& reverse) {
    const std::size_t n_items = ipt::product(shape), n_axes = shape.size();
    std::vector<Item> items(n_items);
    auto value = [](std::size_t i) { return static_cast<Item>(i * 0x9E3779B97F4A7C15u >> 23 ^ i); };
    for (std::size_t i = 0; i < n_items; ++i) items[i] = value(i);
    reverse(reinterpret_cast<char*>(items.data()), shape, sizeof(Item));
    Shape steps(n_axes), index(n_axes, 0);
    for (std::size_t axis = 0, step = 1; axis < n_axes; step *= shape[axis++]) steps[axis] = step;
    for (std::size_t i = 0, target = 0; i < n_items; ++i) {
        if (items[target] != value(i)) return false;
        for (std::size_t axis = n_axes; axis-- > 0;) {
            target += steps[axis];
            if (++index[axis] < shape[axis]) break;
            target -= steps[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    return true;
}

bool check(const Shape& shape, const char* way, const Reverse& reverse) {
    if (is_right<std::uint8_t>(shape, reverse) && is_right<std::uint32_t>(shape, reverse) &&
        is_right<std::uint64_t>(shape, reverse))
        return true;
    std::printf("wrong %s:", way);
    for (std::size_t n : shape) std::printf(" %zu", n);
    std::printf("\n");
    return false;
}

bool check_all(const Shape& sizes, std::size_t n_axes, const char* way, const Reverse& reverse, Shape shape = {}) {
    if (shape.size() == n_axes) return check(shape, way, reverse);
    for (std::size_t n : sizes) {
        shape.push_back(n);
        if (!check_all(sizes, n_axes, way, reverse, shape)) return false;
        shape.pop_back();
    }
    return true;
}

}  // namespace

int main(int n_arguments, char** arguments) {
    const bool few = n_arguments > 1 && std::strcmp(arguments[1], "few") == 0;
    const Shape some = {1, 2, 3, 5, 8, 17};
    Shape all(17);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i + 1;
    auto first = [](char* arr, const Shape& shape, std::size_t nbytes) { with_tail(arr, shape, nbytes, true); };
    auto last = [](char* arr, const Shape& shape, std::size_t nbytes) { with_tail(arr, shape, nbytes, false); };
    auto left = [](char* arr, const Shape& shape, std::size_t nbytes) { with_gaps(arr, shape, nbytes, true); };
    auto closed = [](char* arr, const Shape& shape, std::size_t nbytes) { with_gaps(arr, shape, nbytes, false); };
    auto copied = [](char* arr, const Shape& shape, std::size_t nbytes) { out_of_place(arr, shape, nbytes, false); };
    auto streamed = [](char* arr, const Shape& shape, std::size_t nbytes) { out_of_place(arr, shape, nbytes, true); };
    const Shape longer = {1, 2, 7, 15, 16, 31, 33, 63, 64, 65, 100, 129, 300, 511};
    if (!check_all(longer, 2, "by default", by_default)) return 1;
    if (!check_all(longer, 2, "with gaps left", left) || !check_all(longer, 2, "with gaps closed", closed)) return 1;
    auto ahead = [](char* arr, const Shape& shape, std::size_t nbytes) { moving(arr, shape, nbytes, true); };
    auto behind = [](char* arr, const Shape& shape, std::size_t nbytes) { moving(arr, shape, nbytes, false); };
    auto left_moving = [](char* arr, const Shape& shape, std::size_t nbytes) {
        moving_with_gaps(arr, shape, nbytes, true);
    };
    auto closed_moving = [](char* arr, const Shape& shape, std::size_t nbytes) {
        moving_with_gaps(arr, shape, nbytes, false);
    };
    if (!check_all(longer, 2, "panels move", ahead) || !check_all(longer, 2, "moved panels", behind)) return 1;
    if (!check_all({1, 3, 32, 100}, 3, "panels move", ahead) || !check_all({1, 3, 32, 100}, 3, "moved panels", behind))
        return 1;
    if (!check_all(longer, 2, "squares", as_squares)) return 1;
    if (!check_all({1, 3, 64, 65, 131}, 3, "palindromes", as_squares)) return 1;
    if (!check_all(longer, 2, "panels move apart", left_moving)) return 1;
    if (!check_all(longer, 2, "panels move together", closed_moving)) return 1;
    const Shape large[] = {{3000, 700}, {700, 3000}, {2999, 701}, {701, 2999}, {150, 130, 110}, {3, 400, 70, 50},
                           {50, 70, 400, 3}, {16, 300, 16, 30}};
    for (const ipt::Processor processor : {ipt::Processor::intel, ipt::Processor::other})
        for (const Shape& shape : large)
            if (!check(shape, "as planned", [=](char* arr, const Shape& axes, std::size_t nbytes) {
                    as_on(processor, arr, axes, nbytes);
                }))
                return 1;
    if (!check_all(longer, 2, "copied", copied) || !check_all(longer, 2, "streamed", streamed)) return 1;
    const Shape mixed = {3, 20, 66, 129};
    if (!check_all(mixed, 3, "by default", by_default) || !check_all(mixed, 3, "copied", copied)) return 1;
    if (!check_all(mixed, 3, "streamed", streamed)) return 1;
    for (std::size_t n_axes = 1; n_axes <= (few ? 4 : 5); ++n_axes) {
        if (!check_all(n_axes == 5 || few ? some : all, n_axes, "by default", by_default)) return 1;
        if (!check_all(some, n_axes, "without panels", without_panels)) return 1;
        if (!check_all(some, n_axes, "copied", copied) || !check_all(some, n_axes, "streamed", streamed)) return 1;
        if (!check_all(some, n_axes, "with a first tail", first)) return 1;
        if (!check_all(some, n_axes, "with a last tail", last)) return 1;
    }
    std::printf("all shapes are right\n");
}
