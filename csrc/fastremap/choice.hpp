// The strategies by which an array is looked at; sample.hpp chooses among them.
#pragma once

#include <cstdint>

namespace fastremap {

enum class Strategy { runs, dense, sort };

struct Choice {
    Strategy strategy = Strategy::runs;
    std::uint64_t lowest = 0, n_keys = 0;  // dense: the range of labels that have a place each
    double n_distinct = 0;                 // sort: about so many labels
};

}  // namespace fastremap
