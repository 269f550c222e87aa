// What becomes of a label that is not in the table.
#pragma once

namespace fastremap {

enum class Missing { keep, fill, stop };

}  // namespace fastremap
