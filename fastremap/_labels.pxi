# Labels: finding, numbering and replacing them.

cdef Choice choice_for(cnp.ndarray labels):
    """The strategy for an array, from a sample of it."""
    cdef void* data = data_of(labels)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef Choice choice
    with nogil:
        choice = c_choose(data, width, n_labels)
    return choice


def strategy(cnp.ndarray labels):
    """The name of the strategy for an array: runs, dense or sort."""
    return {<int>Strategy.runs: "runs", <int>Strategy.dense: "dense", <int>Strategy.sort: "sort"}[
        <int>choice_for(labels).strategy]


def unique(cnp.ndarray labels, shape, bint fortran, bint with_counts, bint with_first, bint as_met):
    """The distinct labels, with counts and least C-order indices if asked for; `as_met`: in the order of memory."""
    cdef vector[int64_t] dims = shape
    cdef void* data = data_of(labels)
    cdef Choice choice  # by runs
    if not as_met:
        choice = choice_for(labels)
    cdef unique_ptr[CDistinct] distinct = make_distinct(cnp.PyArray_ITEMSIZE(labels), with_counts, with_first)
    cdef cnp.ndarray found, counts = None, first = None
    with nogil:
        distinct.get().add(data, dims.data(), <int>dims.size(), fortran, choice)
    found = np.empty(distinct.get().size(), dtype=labels.dtype)
    distinct.get().copy_labels(data_of(found))
    if with_counts:
        counts = np.empty(found.size, dtype=np.int64)
        distinct.get().copy_counts(<int64_t*>data_of(counts))
    if with_first:
        first = np.empty(found.size, dtype=np.int64)
        distinct.get().copy_first(<int64_t*>data_of(first))
    return found, counts, first


def unique_by_sort(cnp.ndarray labels, str kind, bint with_counts):
    """The distinct labels, ascending, and their counts if asked for."""
    cdef cnp.ndarray ordered = sort(labels, kind)
    cdef void* data = data_of(ordered)
    cdef size_t width = cnp.PyArray_ITEMSIZE(ordered)
    cdef size_t n_labels = cnp.PyArray_SIZE(ordered)
    cdef size_t n_found = n_labels - count_equal_pairs(ordered)
    if n_found == n_labels:
        return ordered, np.ones(n_found, dtype=np.int64) if with_counts else None
    cdef cnp.ndarray counts = np.empty(n_found, dtype=np.int64) if with_counts else None
    cdef int64_t* count_data = <int64_t*>data_of(counts) if with_counts else NULL
    with nogil:
        c_collapse(data, width, n_labels, count_data)
    return ordered[:n_found].copy(), counts


def sort(cnp.ndarray labels, str kind):
    """Labels in ascending order; NaNs last."""
    cdef cnp.ndarray ordered = np.empty(labels.size, dtype=labels.dtype)
    cdef void* data = data_of(labels)
    cdef void* ordered_data = data_of(ordered)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef char letter = ord(kind)
    with nogil:
        c_sort(data, letter, width, n_labels, ordered_data)
    return ordered


def sort_with_places(cnp.ndarray labels, str kind):
    """Labels in ascending order, NaNs last, and the place that each had; equal ones in the order of these."""
    cdef cnp.ndarray ordered = np.empty(labels.size, dtype=labels.dtype)
    cdef cnp.ndarray places = np.empty(labels.size, dtype=np.uint32 if labels.size < 2**32 else np.int64)
    cdef void* data = data_of(labels)
    cdef void* ordered_data = data_of(ordered)
    cdef void* place_data = data_of(places)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t place_width = cnp.PyArray_ITEMSIZE(places)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef char letter = ord(kind)
    with nogil:
        c_sort_with_places(data, letter, width, n_labels, ordered_data, place_data, place_width)
    return ordered, places


cdef class Numbering:
    """Ids in the order of first appearance, over any number of calls of `run`."""
    cdef unique_ptr[CNumbering] numbering
    cdef object dtype

    def __init__(self, cnp.ndarray labels, bint keep_zero):
        self.dtype = labels.dtype
        self.numbering = make_numbering(
            cnp.PyArray_ITEMSIZE(labels), cnp.PyArray_SIZE(labels), keep_zero, choice_for(labels))

    def run(self, cnp.ndarray labels, size_t begin, cnp.ndarray out, bint also, uint64_t first_id, size_t max_labels):
        """Write ids, with `also` over the labels too, from item `begin` on until there are more than max_labels labels.

        Returns the number of items done.
        """
        cdef void* data = data_of(labels)
        cdef void* out_data = data_of(out)
        cdef size_t n_labels = cnp.PyArray_SIZE(labels)
        cdef size_t out_width = cnp.PyArray_ITEMSIZE(out)
        cdef void* labels_too = data if also else NULL
        with nogil:
            begin = self.numbering.get().run(
                data, begin, n_labels, out_data, out_width, labels_too, first_id, max_labels)
        return begin

    def labels(self):
        """The labels by number. No other call may follow."""
        cdef cnp.npy_intp n_found = self.numbering.get().size()
        found = cnp.PyArray_SimpleNewFromData(1, &n_found, self.dtype.num, <void*>self.numbering.get().labels())
        cnp.set_array_base(found, self)
        return found


cdef class Lookup:
    """A table built for one pair of widths; `apply` may run in any number of threads."""
    cdef unique_ptr[CLookup] lookup

    def __init__(self, cnp.ndarray keys, cnp.ndarray values):  # for any number of labels
        cdef const void* key_data = data_of(keys)
        cdef const void* value_data = data_of(values)
        cdef size_t width = cnp.PyArray_ITEMSIZE(keys)
        cdef size_t out_width = cnp.PyArray_ITEMSIZE(values)
        cdef size_t n_keys = cnp.PyArray_SIZE(keys)
        with nogil:
            self.lookup = make_lookup(key_data, width, value_data, out_width, n_keys, <size_t>-1)

    def keep(self, cnp.ndarray labels, cnp.ndarray out):
        """Labels that are no keys stay. Both arrays have the same width."""
        self._apply(labels, data_of(out), Missing.keep, 0)

    def fill(self, cnp.ndarray labels, cnp.ndarray out, uint64_t value):
        """Labels that are no keys become the value whose lower bits are given."""
        self._apply(labels, data_of(out), Missing.fill, value)

    def strict(self, cnp.ndarray labels, cnp.ndarray out):
        """The number of items done, before the first label that is no key or a little less; `out` None: only look."""
        return self._apply(labels, NULL if out is None else data_of(out), Missing.stop, 0)

    cdef size_t _apply(self, cnp.ndarray labels, void* out, Missing missing, uint64_t fill):
        cdef void* data = data_of(labels)
        cdef size_t n_labels = cnp.PyArray_SIZE(labels)
        cdef Strategy way = choice_for(labels).strategy
        with nogil:
            n_labels = self.lookup.get().apply(data, n_labels, out, missing, fill, way)
        return n_labels


def take(labels, values):
    """Replace few labels in place by the values at their places; False, and nothing done, unless they are alike."""
    if not are_alike(labels, values) or cnp.PyArray_NDIM(values) != 1 or cnp.PyArray_SIZE(labels) > few_labels:
        return False
    cdef char* data = <char*>cnp.PyArray_DATA(labels)
    cdef char* value_data = <char*>cnp.PyArray_DATA(values)
    if data < value_data + cnp.PyArray_NBYTES(values) and value_data < data + cnp.PyArray_NBYTES(labels):
        return False
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef size_t n_values = cnp.PyArray_SIZE(values)
    if cnp.PyTypeNum_ISSIGNED(cnp.PyArray_TYPE(labels)):  # negative labels are the upper half of the unsigned ones
        n_values = min(n_values, <size_t>1 << (8 * width - 1))
    with nogil:
        c_take(data, width, n_labels, value_data, n_values)
    return True


def replace(labels, keys, values):
    """Replace keys by values in place and keep other labels; False, and nothing done, unless they are alike."""
    if not (are_alike(labels, keys) and are_alike(labels, values)):
        return False
    if cnp.PyArray_SIZE(keys) != cnp.PyArray_SIZE(values):
        return False
    cdef void* data = cnp.PyArray_DATA(labels)
    cdef void* key_data = cnp.PyArray_DATA(keys)
    cdef void* value_data = cnp.PyArray_DATA(values)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef size_t n_keys = cnp.PyArray_SIZE(keys)
    with nogil:
        make_lookup(key_data, width, value_data, width, n_keys, n_labels).get().apply(
            data, n_labels, data, Missing.keep, 0, c_choose(data, width, n_labels).strategy)
    return True
