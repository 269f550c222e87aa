// The only table from labels to small values: hashed for 4- and 8-byte keys, direct for 1- and 2-byte keys.
// Hashed: insert-only, linear probing, key and value side by side in one line of the cache.
//
// What:       maps a key to a small value; `find` never writes, so any number of threads may share a built table.
// Requires:   fewer than 2^32 distinct 4-byte keys (one key value must stay unused, see free_key_).
// Complexity: O(1) expected; at most 4 slots a key (load between 1/4 and 1/2).
// Source:     Fibonacci hashing and linear probing: Knuth, The Art of Computer Programming 3, section 6.4.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace fastremap {

template <class Key, class Value>
class Table {
   public:
    explicit Table(std::size_t n_expected = 0) { allocate(std::bit_ceil(2 * n_expected + 2 * min_capacity)); }

    void prefetch(Key key) const { __builtin_prefetch(&slots_[home(key)]); }

    // The value of a key, or null. A key equal to the mark of free slots meets a free slot first: absent.
    const Value* find(Key key) const {
        for (std::size_t slot = home(key);; slot = (slot + 1) & mask_) {
            if (slots_[slot].key == free_key_) return nullptr;
            if (slots_[slot].key == key) return &slots_[slot].value;
        }
    }

    // The value of a key, which is `value` if the key is new; `inserted` tells.
    Value find_or_insert(Key key, Value value, bool& inserted) {
        if (key == free_key_) [[unlikely]] change_free_key();
        inserted = false;
        std::size_t slot = home(key);
        for (std::size_t probes = 0;; slot = (slot + 1) & mask_) {
            if (slots_[slot].key == key) return slots_[slot].value;
            if (slots_[slot].key == free_key_) break;
            if (++probes > max_probes) [[unlikely]] {  // keys made to collide: another multiplier parts them
                multiplier_ = multiplier_ * 6364136223846793005u | 1u;
                rebuild(capacity());
                slot = home(key) - 1;
                probes = 0;
            }
        }
        inserted = true;
        slots_[slot] = {key, value};
        if (++size_ * 2 > capacity()) rebuild(capacity() * 2);
        return value;
    }

   private:
    struct Slot {
        Key key;
        Value value;
    };
    static constexpr std::size_t min_capacity = 32;
    // At a load of 1/2 the longest probe among 10^9 keys is near 200; beyond that the keys are not random.
    static constexpr std::size_t max_probes = 512;

    std::size_t capacity() const { return mask_ + 1; }

    std::size_t home(Key key) const { return (static_cast<std::uint64_t>(key) * multiplier_) >> shift_; }

    void allocate(std::size_t n_slots) {
        slots_.assign(n_slots, Slot{free_key_, Value{}});
        mask_ = n_slots - 1;
        shift_ = 64 - static_cast<unsigned>(std::countr_zero(n_slots));
    }

    // With the multiplier unchanged the old slots come in the order of the new ones: growth streams.
    void rebuild(std::size_t n_slots) {
        const std::vector<Slot> old = std::move(slots_);
        allocate(n_slots);
        for (const Slot& entry : old) {
            if (entry.key == free_key_) continue;
            std::size_t slot = home(entry.key);
            while (slots_[slot].key != free_key_) slot = (slot + 1) & mask_;
            slots_[slot] = entry;
        }
    }

    // Free slots are marked by a key value that is not in the table. When that value arrives as a key, another
    // one is found; the sequence has full period (Hull and Dobell 1962), so it ends unless every value is taken.
    void change_free_key() {
        if (sizeof(Key) < 8 && size_ >= std::numeric_limits<Key>::max())
            throw std::length_error("the array holds every value of its dtype; no table can be built for it");
        const Key old_mark = free_key_;
        Key mark = old_mark;
        do mark = static_cast<Key>(mark * Key{1664525} + Key{1013904223});
        while (mark == old_mark || find(mark) != nullptr);
        for (Slot& entry : slots_)
            if (entry.key == old_mark) entry.key = mark;
        free_key_ = mark;
    }

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
    unsigned shift_ = 0;
    std::size_t size_ = 0;
    std::uint64_t multiplier_ = 0xD6E8FEB86659FD93u;
    Key free_key_ = static_cast<Key>(0xA24BAED4963EE407u);  // an arbitrary value that labels rarely have
};

// Keys within a narrow range, such as all keys of 1 or 2 bytes, index their values directly.
template <class Key, class Value>
class DirectTable {
   public:
    explicit DirectTable(Key lowest = 0, std::size_t n_keys = std::size_t{1} << (8 * std::min<std::size_t>(sizeof(Key), 2)))
        : lowest_(lowest), values_(n_keys), present_(n_keys, 0) {}

    void prefetch(Key) const {}

    const Value* find(Key key) const {
        const auto at = static_cast<Key>(key - lowest_);
        return at < values_.size() && present_[at] ? &values_[at] : nullptr;
    }

    // Requires a key within the range.
    Value find_or_insert(Key key, Value value, bool& inserted) {
        const auto at = static_cast<Key>(key - lowest_);
        inserted = !present_[at];
        if (inserted) {
            present_[at] = 1;
            values_[at] = value;
        }
        return values_[at];
    }

   private:
    Key lowest_;
    std::vector<Value> values_;
    std::vector<std::uint8_t> present_;
};

template <class Key, class Value>
using TableFor = std::conditional_t<(sizeof(Key) < 4), DirectTable<Key, Value>, Table<Key, Value>>;

}  // namespace fastremap
