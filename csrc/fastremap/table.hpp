// The only tables from labels to small values: hashed for 4- and 8-byte keys, direct for narrow ranges of keys.
// Hashed: insert-only, linear probing, key and value side by side in one line of the cache.
//
// What:       maps keys to small values, a piece of keys at a time; a look-up never writes, so any number of threads
//             may share a built table.
// Requires:   nothing of the keys.
// Complexity: O(1) expected; at most 4 slots a key (load between 1/4 and 1/2), 16 in a small table.
// Source:     Fibonacci hashing and linear probing: Knuth, The Art of Computer Programming 3, section 6.4; a piece of
//             keys is looked up in passes without a branch, since a mispredicted one costs more than all the rest.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "memory.hpp"

namespace fastremap {

// How many keys ahead a table is asked to fetch the line of a key.
inline constexpr std::size_t prefetch_distance = 16;
// After how many slots a key is looked for alone.
inline constexpr std::size_t n_passes = 4;

// The value of keys of which only one thing is to be known: that they are there.
struct Nothing {};

template <class Key, class Value>
class Table {
   public:
    explicit Table(std::size_t n_expected = 0) {
        allocate(std::bit_ceil(std::max(min_capacity, room_for(n_expected))));
    }

    // Writes the values of n keys, and the places of those that are not found at once, whose values are undefined;
    // returns how many these are. At least prefetch_distance keys after the n-th are readable.
    std::size_t find(const Key* keys, std::size_t n, Value* values, std::uint32_t* elsewhere) const {
        return look_up(keys, n, elsewhere, [=, slots = slots_.begin()](std::size_t i, std::size_t at, bool) {
            values[i] = slots[at].value;
        });
    }

    // As above, but what is seen not to be in the table gets the value otherwise(i), and is not among the others.
    template <class Otherwise>
    std::size_t find(const Key* keys, std::size_t n, Value* values, std::uint32_t* elsewhere,
                     const Otherwise& otherwise) const {
        return look_up<true>(keys, n, elsewhere, [=, slots = slots_.begin()](std::size_t i, std::size_t at, bool is_there) {
            const auto all_bits = static_cast<Value>(-static_cast<Value>(is_there));  // of `?:` gcc makes a branch
            values[i] = static_cast<Value>((slots[at].value & all_bits) | (otherwise(i) & ~all_bits));
        });
    }

    // Writes the places of those of n keys that are not found at once; as above.
    std::size_t find_others(const Key* keys, std::size_t n, std::uint32_t* elsewhere) const {
        return look_up(keys, n, elsewhere, [](std::size_t, std::size_t, bool) {});
    }

    // Adds number_of(i) to the value of the i-th of n keys; but for those that are not found at once, as above.
    template <class NumberOf>
    std::size_t add(const Key* keys, std::size_t n, std::uint32_t* elsewhere, const NumberOf& number_of) {
        return look_up(keys, n, elsewhere, [=, slots = &slots_[0]](std::size_t i, std::size_t at, bool is_there) {
            slots[at].value += is_there ? number_of(i) : 0;
        });
    }

    // The value of a key, or null.
    const Value* find(Key key) const {
        if (key == mark) return has_mark_ ? &value_of_mark_ : nullptr;
        const Slot& slot = slots_[slot_of(key)];
        return slot.tag != 0 ? &slot.value : nullptr;
    }

    // The value of a key, which is `value` if the key is new; `inserted` tells.
    Value& find_or_insert(Key key, Value value, bool& inserted) {
        if (key == mark) {
            inserted = !has_mark_;
            if (inserted) has_mark_ = true, value_of_mark_ = value;
            return value_of_mark_;
        }
        std::size_t at = slot_of(key);
        inserted = slots_[at].tag == 0;
        if (!inserted) return slots_[at].value;
        slots_[at] = {static_cast<Key>(key ^ mark), value};
        const std::size_t distance = distance_from_home(at, key);
        total_distance_ += distance;
        const bool is_full = room_for(++size_) > capacity();
        // So far from home no key gets by chance, nor all of them on an average, which is 1/2 at a load of 1/2: these
        // collide by design, or lie at even intervals, and another multiplier parts them.
        const bool are_far = total_distance_ > size_ / 8 * 5 + 32 && n_multipliers_ < most_multipliers;
        const bool is_crowded = distance > max_distance_ || are_far;
        if (is_crowded) multiplier_ = multiplier_ * 6364136223846793005u | 1u, ++n_multipliers_;
        if (is_crowded || is_full) {
            rebuild(is_full ? capacity() * growth() : capacity());
            at = slot_of(key);
        }
        return slots_[at].value;
    }

   private:
    struct Slot {
        Key tag;  // the key with the bits of `mark` flipped; 0 is a free slot, as fresh memory has it
        [[no_unique_address]] Value value;
    };
    // An arbitrary value that labels rarely have: the one key that is kept beside the slots.
    static constexpr Key mark = static_cast<Key>(0xA24BAED4963EE407u);
    static constexpr std::size_t min_capacity = 256;
    static constexpr std::size_t most_multipliers = 16;  // that are tried for keys that are only far on an average
    // A table that is small beside the second-level cache is kept emptier, so that fewer keys are elsewhere.
    static constexpr std::size_t sparse_nbytes = std::size_t{1} << 18;

    // Calls act(i, slot, whether the key is there) for one slot of each key after the other, until it is found. With
    // `ends` a free slot ends the search too, since the key is not in the table then.
    template <bool ends = false, class Act>
    std::size_t look_up(const Key* keys, std::size_t n, std::uint32_t* elsewhere, const Act& act) const {
        const bool is_near = is_sparse(capacity());
        std::size_t n_left =
            is_near ? look<ends, false>(keys, n, elsewhere, act) : look<ends, true>(keys, n, elsewhere, act);
        // Where most keys are not in the table, to look on would be in vain.
        for (std::size_t pass = 1; pass < n_passes && n_left * 2 < n; ++pass)
            n_left = look_on<ends>(keys, n_left, pass, elsewhere, act);
        return n_left;
    }

    // Looks at the first slot of every key; `elsewhere` gets the places of those that are not there.
    template <bool ends, bool prefetches, class Act>
    std::size_t look(const Key* keys, std::size_t n, std::uint32_t* elsewhere, const Act& act) const {
        const Slot* const slots = slots_.begin();  // in registers, whatever `act` may write to
        const std::uint64_t multiplier = multiplier_;
        const unsigned shift = shift_;
        std::size_t n_left = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if constexpr (prefetches) prefetch(slots + (keys[i + prefetch_distance] * multiplier >> shift));
            const Key tag = keys[i] ^ mark;
            const std::size_t at = keys[i] * multiplier >> shift;
            const bool is_there = (slots[at].tag == tag) & (tag != 0);
            act(i, at, is_there);
            elsewhere[n_left] = static_cast<std::uint32_t>(i);
            n_left += !(is_there | (ends & (slots[at].tag == 0) & (tag != 0)));
        }
        return n_left;
    }

    // Looks at another slot of the keys that are left.
    template <bool ends, class Act>
    std::size_t look_on(const Key* keys, std::size_t n, std::size_t distance, std::uint32_t* elsewhere,
                        const Act& act) const {
        const Slot* const slots = slots_.begin();
        std::size_t n_left = 0;
        for (std::size_t left = 0; left < n; ++left) {
            const std::uint32_t i = elsewhere[left];
            const Key tag = keys[i] ^ mark;
            const std::size_t at = home(keys[i]) + distance;
            const bool is_there = (slots[at].tag == tag) & (tag != 0);
            act(i, at, is_there);
            elsewhere[n_left] = i;
            // Behind the last slot a key may be looked for in vain and yet be there, in the first ones.
            n_left += !(is_there | (ends & (slots[at].tag == 0) & (at <= mask_) & (tag != 0)));
        }
        return n_left;
    }

    std::size_t capacity() const { return mask_ + 1; }
    static bool is_sparse(std::size_t n_slots) { return n_slots * sizeof(Slot) <= sparse_nbytes; }

    static std::size_t room_for(std::size_t n_keys) {
        return n_keys * (is_sparse(n_keys * 8) ? 8 : 2);
    }

    // Small tables grow faster, since all keys are placed anew each time.
    std::size_t growth() const { return is_sparse(capacity() * 4) ? 4 : 2; }

    // The longest probe among n keys is near 5 ln n at a load of 1/2, and near ln n at 1/8; a chain is that long again
    // with a probability below 10^-8.
    static std::size_t longest_probe(std::size_t n_slots) {
        const auto n_bits = static_cast<std::size_t>(std::countr_zero(n_slots));
        return n_bits * (is_sparse(n_slots) ? 2 : 8);
    }

    std::size_t home(Key key) const { return (static_cast<std::uint64_t>(key) * multiplier_) >> shift_; }

    // Where a key is, or the free slot where it would be.
    std::size_t slot_of(Key key) const {
        const Key tag = key ^ mark;
        std::size_t at = home(key);
        while (slots_[at].tag != tag && slots_[at].tag != 0) at = (at + 1) & mask_;
        return at;
    }

    std::size_t distance_from_home(std::size_t at, Key key) const { return (at - home(key)) & mask_; }

    void allocate(std::size_t n_slots) {
        slots_ = ZeroedArray<Slot>(n_slots + n_passes - 1);  // those after the last are always free
        mask_ = n_slots - 1;
        shift_ = 64 - static_cast<unsigned>(std::countr_zero(n_slots));
        max_distance_ = longest_probe(n_slots);
    }

    // With the multiplier unchanged the old slots come in the order of the new ones: growth streams.
    void rebuild(std::size_t n_slots) {
        const ZeroedArray<Slot> old = std::move(slots_);
        allocate(n_slots);
        total_distance_ = 0;
        for (const Slot& entry : old) {
            if (entry.tag == 0) continue;
            const Key key = entry.tag ^ mark;
            const std::size_t at = slot_of(key);
            slots_[at] = entry;
            total_distance_ += distance_from_home(at, key);
        }
    }

    ZeroedArray<Slot> slots_;
    std::size_t mask_ = 0;
    unsigned shift_ = 0;
    std::size_t max_distance_ = 0, total_distance_ = 0, n_multipliers_ = 1;
    std::size_t size_ = 0;
    std::uint64_t multiplier_ = 0xD6E8FEB86659FD93u;
    bool has_mark_ = false;
    Value value_of_mark_{};
};

// Keys within a narrow range, such as all keys of 1 or 2 bytes, index their values directly.
template <class Key, class Value>
class DirectTable {
   public:
    static constexpr std::size_t all_keys = std::size_t{1} << (8 * std::min<std::size_t>(sizeof(Key), 2));

    explicit DirectTable(Key lowest = 0, std::size_t n_keys = all_keys)
        : lowest_(lowest), values_(new Value[n_keys]), is_present_(n_keys) {}

    std::size_t find(const Key* keys, std::size_t n, Value* values, std::uint32_t* elsewhere) const {
        std::size_t n_elsewhere = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const Value* const value = find(keys[i]);
            if (value) values[i] = *value;
            elsewhere[n_elsewhere] = static_cast<std::uint32_t>(i);
            n_elsewhere += value == nullptr;
        }
        return n_elsewhere;
    }

    template <class Otherwise>
    std::size_t find(const Key* keys, std::size_t n, Value* values, std::uint32_t*, const Otherwise& otherwise) const {
        for (std::size_t i = 0; i < n; ++i) {
            const Value* const value = find(keys[i]);
            values[i] = value ? *value : otherwise(i);
        }
        return 0;
    }

    std::size_t find_others(const Key* keys, std::size_t n, std::uint32_t* elsewhere) const {
        std::size_t n_elsewhere = 0;
        for (std::size_t i = 0; i < n; ++i) {
            elsewhere[n_elsewhere] = static_cast<std::uint32_t>(i);
            n_elsewhere += find(keys[i]) == nullptr;
        }
        return n_elsewhere;
    }

    template <class NumberOf>
    std::size_t add(const Key* keys, std::size_t n, std::uint32_t* elsewhere, const NumberOf& number_of) {
        std::size_t n_elsewhere = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const auto at = static_cast<Key>(keys[i] - lowest_);
            const bool is_there = at < is_present_.size() && is_present_[at];
            if (is_there) values_[at] += number_of(i);
            elsewhere[n_elsewhere] = static_cast<std::uint32_t>(i);
            n_elsewhere += !is_there;
        }
        return n_elsewhere;
    }

    const Value* find(Key key) const {
        const auto at = static_cast<Key>(key - lowest_);
        return at < is_present_.size() && is_present_[at] ? &values_[at] : nullptr;
    }

    Key lowest() const { return lowest_; }
    const Value* values() const { return values_.get(); }
    const std::uint8_t* is_present() const { return is_present_.begin(); }
    std::size_t n_keys() const { return is_present_.size(); }

    // Requires a key within the range.
    Value& find_or_insert(Key key, Value value, bool& inserted) {
        const auto at = static_cast<Key>(key - lowest_);
        inserted = !is_present_[at];
        if (inserted) {
            is_present_[at] = 1;
            values_[at] = value;
        }
        return values_[at];
    }

   private:
    Key lowest_;
    std::unique_ptr<Value[]> values_;  // undefined where no key is
    ZeroedArray<std::uint8_t> is_present_;
};

template <class Key, class Value>
using TableFor = std::conditional_t<(sizeof(Key) < 4), DirectTable<Key, Value>, Table<Key, Value>>;

}  // namespace fastremap
