// Runs every kernel without Python, for the address and undefined-behaviour sanitizers, against plain loops.
//
//     g++ -std=c++20 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all csrc/smoke.cpp csrc/api_*.cpp
//
// Run it once for each FASTREMAP_ISA. Buffers have exactly the size of their array, so that a read or write past the
// end is seen.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <memory>
#include <random>
#include <vector>

#include "api.hpp"

namespace api = fastremap::api;
using fastremap::Missing;
using fastremap::Strategy;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1); \
        } \
    } while (0)

// Labels in runs of random length up to `longest`, spread over the whole range of the type.
template <class Label>
std::vector<Label> label_image(std::size_t n_labels, std::size_t longest, std::mt19937_64& random) {
    std::vector<Label> labels;
    while (labels.size() < n_labels) {
        const auto label = static_cast<Label>((random() % 97) * 0x9E3779B97F4A7C15u);
        const std::size_t length = std::min<std::size_t>(1 + random() % longest, n_labels - labels.size());
        labels.insert(labels.end(), length, label);
    }
    return labels;
}

// By runs, and densely with a range of which some labels of label_image are outside.
template <class Label>
std::vector<fastremap::Choice> choices() {
    const std::uint64_t n_keys = sizeof(Label) == 1 ? 256 : sizeof(Label) == 2 ? 65536 : 5000;
    return {{Strategy::runs, 0, 0}, {Strategy::dense, sizeof(Label) > 2 ? 7u : 0u, n_keys}, {Strategy::sort, 0, 0, 1e9}};
}

template <class Label>
void check_unique(const std::vector<Label>& labels) {
    std::map<Label, std::pair<std::int64_t, std::int64_t>> expected;  // label -> count, first index
    for (std::size_t i = 0; i < labels.size(); ++i) {
        auto& [count, first] = expected.try_emplace(labels[i], 0, static_cast<std::int64_t>(i)).first->second;
        ++count;
    }
    const std::int64_t shape[] = {static_cast<std::int64_t>(labels.size())};
    for (const fastremap::Choice& choice : choices<Label>()) {
        const auto distinct = api::make_distinct(sizeof(Label), true, true);
        distinct->add(labels.data(), shape, 1, false, choice);
        CHECK(distinct->size() == expected.size());
        std::vector<Label> found(expected.size());
        std::vector<std::int64_t> counts(expected.size()), first(expected.size());
        distinct->copy_labels(found.data());
        distinct->copy_counts(counts.data());
        distinct->copy_first(first.data());
        for (std::size_t i = 0; i < found.size(); ++i)
            CHECK(expected.at(found[i]) == std::make_pair(counts[i], first[i]));
        if (choice.strategy == Strategy::runs) CHECK(std::is_sorted(first.begin(), first.end()));
        const auto counted = api::make_distinct(sizeof(Label), true, false);
        counted->add(labels.data(), shape, 1, false, choice);
        std::vector<std::int64_t> again(counted->size());
        counted->copy_counts(again.data());
        CHECK(again == counts);
        const auto labels_only = api::make_distinct(sizeof(Label), false, false);
        labels_only->add(labels.data(), shape, 1, false, choice);
        CHECK(labels_only->size() == expected.size());
    }
    std::vector<Label> sorted(labels.size());
    api::sort(labels.data(), 'u', sizeof(Label), labels.size(), sorted.data());
    std::vector<std::int64_t> counts(expected.size());
    CHECK(api::collapse(sorted.data(), sizeof(Label), sorted.size(), counts.data()) == expected.size());
    std::size_t at = 0;
    for (const auto& [label, stats] : expected) {
        CHECK(sorted[at] == label && counts[at] == stats.first);
        ++at;
    }
    api::choose(labels.data(), sizeof(Label), labels.size());
}

// The first index in C order of an array that lies in Fortran order.
template <class Label>
void check_unique_fortran(std::mt19937_64& random) {
    const std::int64_t shape[] = {7, 5, 11};
    const auto labels = label_image<Label>(7 * 5 * 11, 4, random);
    std::map<Label, std::int64_t> expected;
    for (std::int64_t x = 0; x < shape[0]; ++x)
        for (std::int64_t y = 0; y < shape[1]; ++y)
            for (std::int64_t z = 0; z < shape[2]; ++z)
                expected.try_emplace(labels[x + shape[0] * (y + shape[1] * z)], (x * shape[1] + y) * shape[2] + z);
    for (const fastremap::Choice& choice : choices<Label>()) {
        const auto distinct = api::make_distinct(sizeof(Label), false, true);
        distinct->add(labels.data(), shape, 3, true, choice);
        std::vector<Label> found(distinct->size());
        std::vector<std::int64_t> first(distinct->size());
        distinct->copy_labels(found.data());
        distinct->copy_first(first.data());
        CHECK(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) CHECK(expected.at(found[i]) == first[i]);
    }
}

template <class Label, class Out>
void check_renumber(const std::vector<Label>& labels, bool keep_zero, const fastremap::Choice& choice) {
    const auto numbering = api::make_numbering(sizeof(Label), labels.size(), keep_zero, choice);
    std::vector<Out> out(labels.size());
    // In two parts, as a caller does that widens the result in between.
    const std::size_t room = sizeof(Out) == 1 ? 120 : 1000;
    const std::size_t stopped = numbering->run(labels.data(), 0, labels.size(), out.data(), sizeof(Out), nullptr, 5, 3);
    CHECK(stopped <= labels.size());
    std::vector<Label> over = labels;
    void* const also = sizeof(Label) >= sizeof(Out) ? over.data() : nullptr;
    const std::size_t done =
        numbering->run(over.data(), stopped, labels.size(), out.data(), sizeof(Out), also, 5, room);
    CHECK(done == labels.size());
    for (std::size_t i = stopped; also && i < labels.size(); ++i) CHECK(static_cast<Out>(over[i]) == out[i]);
    const std::size_t n_found = numbering->size();
    const auto* const found = static_cast<const Label*>(numbering->labels());
    const std::vector<Label> order(found, found + n_found);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (keep_zero && labels[i] == 0) {
            CHECK(out[i] == 0);
        } else {
            CHECK(order.at(static_cast<std::size_t>(out[i]) - 5 + keep_zero) == labels[i]);
        }
    }
}

// More labels than are sorted at once, of which most fall into one part.
template <class Label>
void check_order(std::mt19937_64& random, std::uint64_t range) {
    std::vector<Label> labels(200000);
    for (Label& label : labels) label = static_cast<Label>(random() % range);
    labels[7] = std::numeric_limits<Label>::max();
    std::vector<std::size_t> expected(labels.size());
    std::iota(expected.begin(), expected.end(), std::size_t{0});
    std::stable_sort(expected.begin(), expected.end(), [&](auto a, auto b) { return labels[a] < labels[b]; });
    std::vector<Label> sorted(labels.size());
    std::vector<std::uint64_t> places(labels.size());
    api::sort_with_places(labels.data(), 'u', sizeof(Label), labels.size(), sorted.data(), places.data(), 8);
    for (std::size_t i = 0; i < labels.size(); ++i)
        CHECK(sorted[i] == labels[expected[i]] && places[i] == expected[i]);
    check_unique(labels);
}

template <class Label, class Out>
void check_remap(const std::vector<Label>& labels, std::mt19937_64& random) {
    std::map<Label, Out> table;
    const std::size_t n_labels = random() % 2 ? labels.size() : 1;
    const unsigned share_of_missing = random() % 2 ? 2 : 64;
    for (Label label : labels)
        if (random() % share_of_missing) table.try_emplace(label, static_cast<Out>(random()));
    std::vector<Label> keys;
    std::vector<Out> values;
    for (auto [key, value] : table) keys.push_back(key), values.push_back(value);
    const auto lookup = api::make_lookup(keys.data(), sizeof(Label), values.data(), sizeof(Out), keys.size(), n_labels);
    for (Strategy strategy : {Strategy::runs, Strategy::dense}) {
        std::vector<Out> filled(labels.size());
        CHECK(lookup->apply(labels.data(), labels.size(), filled.data(), Missing::fill, 3, strategy) == labels.size());
        bool all_found = true;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const auto found = table.find(labels[i]);
            all_found &= found != table.end();
            CHECK(filled[i] == (found == table.end() ? Out{3} : found->second));
        }
        const std::size_t looked = lookup->apply(labels.data(), labels.size(), nullptr, Missing::stop, 0, strategy);
        CHECK((looked == labels.size()) == all_found);
    }
    if constexpr (sizeof(Label) == sizeof(Out)) {
        std::vector<Out> kept(labels.begin(), labels.end());
        CHECK(lookup->apply(kept.data(), kept.size(), kept.data(), Missing::keep, 0, Strategy::runs) == labels.size());
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const auto found = table.find(labels[i]);
            CHECK(kept[i] == (found == table.end() ? static_cast<Out>(labels[i]) : found->second));
        }
    }
}

// Labels as places, of which some lie beyond the values.
template <class Label>
void check_take(const std::vector<Label>& labels, std::mt19937_64& random) {
    std::vector<Label> places, values(std::min<std::size_t>(labels.size(), 200));
    for (Label label : labels) places.push_back(random() % 2 ? label : static_cast<Label>(label % (values.size() + 1)));
    for (Label& value : values) value = static_cast<Label>(random());
    for (std::size_t n_values : {values.size(), values.size() / 2, std::size_t{0}}) {
        const std::vector<Label> exact(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n_values));
        std::vector<Label> taken = places;
        api::take(taken.data(), sizeof(Label), taken.size(), exact.data(), n_values);
        for (std::size_t i = 0; i < taken.size(); ++i)
            CHECK(taken[i] == (places[i] < n_values ? exact[places[i]] : places[i]));
    }
}

// Distinct keys that a multiplicative hash sends to one slot, then enough others for the table to grow.
void check_adversarial_keys() {
    std::uint64_t inverse = 1;  // of the multiplier, modulo 2^64, by Newton's iteration
    for (int step = 0; step < 6; ++step) inverse *= 2 - 0xD6E8FEB86659FD93u * inverse;
    std::vector<std::uint64_t> labels;
    for (std::uint64_t i = 0; i < 20000; ++i) labels.push_back(i * inverse);
    for (std::uint64_t i = 0; i < 20000; ++i) labels.push_back(i);
    labels.push_back(0xA24BAED4963EE407u);  // the mark of free slots
    check_unique(labels);
    labels.resize(900);
    check_renumber<std::uint64_t, std::uint64_t>(labels, true, {});
    std::vector<std::uint32_t> even;  // intervals, by which many keys are near each other in the table
    for (std::uint64_t i = 0; i < 25000; ++i)
        even.push_back(static_cast<std::uint32_t>(i * 0x9E3779B97F4A7C15u >> 33));
    check_unique(even);
    even.resize(900);
    check_renumber<std::uint32_t, std::uint32_t>(even, true, {});
}

// Both labelings against plain loops, in C and in Fortran order.
template <class First, class Second>
void check_relation(std::mt19937_64& random) {
    const std::int64_t shape[] = {13, 9, 21};
    const std::size_t n = 13 * 9 * 21;
    const auto first = label_image<First>(n, 30, random);
    const auto second = label_image<Second>(n, 10, random);
    for (bool fortran : {false, true}) {
        std::map<First, std::pair<std::int64_t, Second>> last;  // label -> C-order index, partner
        std::map<std::pair<First, Second>, int> pairs;
        for (std::size_t i = 0; i < n; ++i) {
            const auto at = static_cast<std::int64_t>(i);
            const std::int64_t index = fortran ? (at % 13 * 9 + at / 13 % 9) * 21 + at / (13 * 9) : at;
            auto& entry = last.try_emplace(first[i], -1, Second{}).first->second;
            if (index > entry.first) entry = {index, second[i]};
            pairs[{first[i], second[i]}] = 1;
        }
        const auto partners = api::make_partners(sizeof(First), sizeof(Second), 'u');
        if (!partners->add(first.data(), second.data(), shape, 3, fortran)) {
            CHECK(fortran);
        } else {
            std::vector<First> labels(partners->size());
            std::vector<Second> partner(partners->size());
            partners->copy(labels.data(), partner.data());
            CHECK(labels.size() == last.size());
            std::size_t at = 0;
            for (const auto& [label, entry] : last) {
                CHECK(labels[at] == label && partner[at] == entry.second);
                ++at;
            }
        }
        const auto all = api::make_pairs(sizeof(First), sizeof(Second), 'u', 'u');
        CHECK(all->add(first.data(), second.data(), shape, 3, fortran));
        std::vector<First> firsts(all->size());
        std::vector<Second> seconds(all->size());
        all->copy(firsts.data(), seconds.data());
        CHECK(firsts.size() == pairs.size());
        std::size_t at = 0;
        for (const auto& [pair, count] : pairs) {
            CHECK(std::make_pair(firsts[at], seconds[at]) == pair);
            ++at;
        }
    }
}

template <class Label, class Coordinate>
void check_points(std::mt19937_64& random) {
    const std::size_t n = 6 * 7 * 70;
    const auto labels = label_image<Label>(n, 40, random);
    std::map<Label, std::vector<Coordinate>> expected;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t at[] = {i / 490, i / 70 % 7, i % 70};
        for (std::size_t coordinate : at) expected[labels[i]].push_back(static_cast<Coordinate>(coordinate));
    }
    std::vector<Label> keys;
    std::vector<std::int64_t> counts;
    std::vector<Coordinate> all_points, points(3 * n);
    for (const auto& [label, coordinates] : expected) {
        keys.push_back(label);
        counts.push_back(static_cast<std::int64_t>(coordinates.size() / 3));
        all_points.insert(all_points.end(), coordinates.begin(), coordinates.end());
    }
    const auto of_labels = api::make_points(sizeof(Label), keys.data(), counts.data(), keys.size(), sizeof(Coordinate));
    const std::int64_t front[] = {4, 7, 70}, back[] = {2, 7, 70};
    of_labels->add(labels.data(), front, 3, 0, points.data());
    of_labels->add(labels.data() + 4 * 490, back, 3, 4, points.data());
    CHECK(points == all_points);
    const std::int64_t cube[] = {5, 5, 5};
    std::vector<Label> solid(125, Label{3}), shell(125);
    api::keep_surface(solid.data(), sizeof(Label), cube, 3, shell.data());
    CHECK(std::count(shell.begin(), shell.end(), Label{3}) == 98);
}

template <class Label>
void check_places(const std::vector<Label>& labels) {
    const Label wanted = labels[labels.size() / 2];
    std::vector<std::int64_t> expected;
    std::size_t n_pairs = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] == wanted) expected.push_back(static_cast<std::int64_t>(i));
        n_pairs += i + 1 < labels.size() && labels[i] == labels[i + 1];
    }
    CHECK(api::find_equal(labels.data(), sizeof(Label), labels.size(), wanted) == expected);
    CHECK(api::all_equal(labels.data(), sizeof(Label), labels.size(), wanted) == (expected.size() == labels.size()));
    CHECK(api::count_equal_pairs(labels.data(), sizeof(Label), labels.size()) == n_pairs);
    CHECK(api::is_ordered(labels.data(), 'u', sizeof(Label), labels.size(), true) ==
          std::is_sorted(labels.begin(), labels.end()));
    CHECK(api::is_ordered(labels.data(), 'u', sizeof(Label), labels.size(), false) ==
          std::is_sorted(labels.rbegin(), labels.rend()));
}

template <class Number>
void check_measures(const std::vector<Number>& items, char kind) {
    Number lowest, highest;
    api::minmax(items.data(), kind, sizeof(Number), items.size(), &lowest, &highest);
    CHECK(lowest == *std::min_element(items.begin(), items.end()));
    CHECK(highest == *std::max_element(items.begin(), items.end()));
    const auto n_zero = std::count(items.begin(), items.end(), Number{0});
    const std::uint64_t significant = kind == 'f' ? ~std::uint64_t{0} >> (65 - 8 * sizeof(Number)) : ~std::uint64_t{0};
    CHECK(api::count_nonzero(items.data(), sizeof(Number), items.size(), significant) == items.size() - n_zero);
}

void check_digest() {
    std::vector<std::uint16_t> box(5 * 300 * 7);
    for (std::size_t i = 0; i < box.size(); ++i) box[i] = static_cast<std::uint16_t>(i * 40503);
    const std::size_t dims[] = {5, 300, 3};
    const std::ptrdiff_t strides[] = {300 * 7 * 2, 7 * 2, 2}, packed[] = {300 * 3 * 2, 3 * 2, 2};
    std::vector<std::uint16_t> part;
    for (std::size_t i = 0; i < box.size(); ++i) {
        if (i % 7 < 3) part.push_back(box[i]);
    }
    const std::uint64_t expected = api::digest(box.data(), strides, dims, 3, 2);
    CHECK(api::digest(part.data(), packed, dims, 3, 2) == expected);
    for (std::size_t i = 0; i < part.size(); i += 61) {
        part[i] ^= 0x8000;
        CHECK(api::digest(part.data(), packed, dims, 3, 2) != expected);
        part[i] ^= 0x8000;
    }
    CHECK(api::digest(nullptr, nullptr, nullptr, 0, 0) == api::digest(nullptr, nullptr, nullptr, 0, 0));
}

template <class Label>
void check_width(std::mt19937_64& random) {
    for (std::size_t n_labels : {1, 2, 7, 8, 9, 31, 63, 64, 65, 2047, 2048, 2049, 4097, 10000}) {
        for (std::size_t longest : {1, 3, 40, 5000}) {
            const auto labels = label_image<Label>(n_labels, longest, random);
            check_unique(labels);
            for (const fastremap::Choice& choice : choices<Label>()) {
                for (bool keep_zero : {false, true}) {
                    check_renumber<Label, std::uint8_t>(labels, keep_zero, choice);
                    check_renumber<Label, std::uint16_t>(labels, keep_zero, choice);
                    check_renumber<Label, std::uint32_t>(labels, keep_zero, choice);
                    check_renumber<Label, std::uint64_t>(labels, keep_zero, choice);
                }
            }
            check_remap<Label, std::uint8_t>(labels, random);
            check_remap<Label, std::uint16_t>(labels, random);
            check_remap<Label, std::uint32_t>(labels, random);
            check_remap<Label, std::uint64_t>(labels, random);
            check_take(labels, random);
            check_places(labels);
            check_measures<Label>(labels, 'u');
            check_measures(std::vector<std::make_signed_t<Label>>(labels.begin(), labels.end()), 'i');
        }
    }
    if (sizeof(Label) <= 2) {  // so many that words are counted in bytes, and in the end one label alone
        std::vector<Label> labels((std::size_t{5} << 20) / 2);
        std::generate(labels.begin(), labels.end() - 1000, [&] { return static_cast<Label>(random()); });
        check_unique(labels);
    }
    check_unique_fortran<Label>(random);
    check_relation<Label, std::uint8_t>(random);
    check_relation<Label, std::uint64_t>(random);
    check_points<Label, std::uint16_t>(random);
    check_points<Label, std::uint32_t>(random);
}

// The axes of a C-ordered array reversed, in place and out of place.
void check_layout(const std::vector<std::size_t>& shape, std::size_t item, std::mt19937_64& random) {
    const std::size_t n_axes = shape.size();
    std::size_t n_items = 1;
    std::vector<std::size_t> reversed(shape.rbegin(), shape.rend());
    std::vector<std::ptrdiff_t> strides(n_axes);  // of the reversed array, in the array as it was
    for (std::size_t i = n_axes; i-- > 0; n_items *= shape[i])
        strides[n_axes - 1 - i] = static_cast<std::ptrdiff_t>(n_items * item);
    std::vector<char> before(n_items * item), expected, copied(n_items * item);
    for (char& byte : before) byte = static_cast<char>(random());
    std::vector<std::size_t> place(n_axes, 0);
    for (std::size_t i = 0; i < n_items; ++i) {
        std::ptrdiff_t source = 0;
        for (std::size_t axis = 0; axis < n_axes; ++axis) source += static_cast<std::ptrdiff_t>(place[axis]) * strides[axis];
        expected.insert(expected.end(), before.begin() + source, before.begin() + source + static_cast<std::ptrdiff_t>(item));
        for (std::size_t axis = n_axes; axis-- > 0 && ++place[axis] == reversed[axis];) place[axis] = 0;
    }
    api::copy_axes(before.data(), strides.data(), copied.data(), reversed.data(), n_axes, item);
    CHECK(copied == expected);
    CHECK(!api::layout_plan(shape.data(), n_axes, item, std::size_t{16} << 20).empty());
    api::reverse_axes(before.data(), shape.data(), n_axes, item);
    CHECK(before == expected);
}

void check_layouts(std::mt19937_64& random) {
    const std::vector<std::vector<std::size_t>> shapes = {
        {1},          {7, 5},       {300, 301},    {1031, 1009},   {2048, 1024},     {3, 640, 480},
        {640, 480, 3}, {65, 33, 65}, {130, 129, 67}, {40, 30, 20, 4}, {4, 50, 70, 60}, {9, 8, 7, 6, 5},
    };
    for (const auto& shape : shapes)
        for (std::size_t item : {1, 2, 3, 4, 8, 12, 16}) check_layout(shape, item, random);
}

int main() {
    std::mt19937_64 random(1);
    check_digest();
    check_layouts(random);
    check_width<std::uint8_t>(random);
    check_width<std::uint16_t>(random);
    check_width<std::uint32_t>(random);
    check_width<std::uint64_t>(random);
    check_adversarial_keys();
    check_order<std::uint16_t>(random, 3000);
    check_order<std::uint32_t>(random, 90000);
    check_order<std::uint64_t>(random, std::uint64_t{1} << 40);
    check_measures<float>({3.0f, -0.0f, 0.0f, -2.5f, 7.0f}, 'f');
    check_measures<double>({3.0, -0.0, 0.0, -2.5, 7.0}, 'f');
    std::printf("smoke: every kernel ran with %s\n", api::isa());
}
