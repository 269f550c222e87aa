# Which labels share voxels, and where each lies.

cdef tuple related(CRelation* relation, cnp.ndarray first, cnp.ndarray second, shape, bint fortran):
    """The pairs of labels that are to be collected, as two arrays; None if that takes arrays in C order."""
    cdef vector[int64_t] dims = shape
    cdef void* first_data = data_of(first)
    cdef void* second_data = data_of(second)
    cdef cbool is_done
    with nogil:
        is_done = relation.add(first_data, second_data, dims.data(), <int>dims.size(), fortran)
    if not is_done:
        return None
    cdef cnp.ndarray firsts = np.empty(relation.size(), dtype=first.dtype)
    cdef cnp.ndarray seconds = np.empty(relation.size(), dtype=second.dtype)
    relation.copy(data_of(firsts), data_of(seconds))
    return firsts, seconds


def last_partners(cnp.ndarray first, cnp.ndarray second, shape, bint fortran, str kind):
    """The distinct labels of `first`, ascending, and for each the label of `second` on its last voxel in C order.

    None where the arrays have to be copied to C order to know it. `kind` is that of the labels of `first`.
    """
    cdef unique_ptr[CRelation] partners = make_partners(
        cnp.PyArray_ITEMSIZE(first), cnp.PyArray_ITEMSIZE(second), <char>ord(kind))
    return related(partners.get(), first, second, shape, fortran)


def label_pairs(cnp.ndarray first, cnp.ndarray second, str first_kind, str second_kind):
    """The distinct pairs of labels that lie on one voxel, ascending, as two arrays."""
    cdef unique_ptr[CRelation] pairs = make_pairs(
        cnp.PyArray_ITEMSIZE(first), cnp.PyArray_ITEMSIZE(second), <char>ord(first_kind), <char>ord(second_kind))
    return related(pairs.get(), first, second, (cnp.PyArray_SIZE(first),), False)


# Slabs of an array in Fortran order are copied to C order in a buffer of so many bytes, or of one index.
cdef size_t slab_nbytes = 1 << 26


def points_of(cnp.ndarray labels, shape, bint fortran, cnp.ndarray keys, cnp.ndarray counts, bint wide):
    """The coordinates of the voxels of each key, of which there are `counts`, as a list of views of one array."""
    cdef int64_t* count_data = <int64_t*>data_of(counts)
    cdef cnp.npy_intp n_keys = min(cnp.PyArray_SIZE(keys), cnp.PyArray_SIZE(counts)), i
    cdef cnp.npy_intp part_dims[2]
    part_dims[0] = 0
    part_dims[1] = len(shape)
    for i in range(n_keys):
        part_dims[0] += count_data[i]
    cdef int kind = cnp.NPY_UINT32 if wide else cnp.NPY_UINT16
    cdef cnp.ndarray points = cnp.PyArray_EMPTY(2, part_dims, kind, 0), part
    cdef char* point_data = <char*>data_of(points)
    cdef size_t coordinate_width = cnp.PyArray_ITEMSIZE(points)
    cdef void* key_data = data_of(keys)
    cdef unique_ptr[CPoints] of_labels
    with nogil:
        of_labels = make_points(cnp.PyArray_ITEMSIZE(labels), key_data, count_data, n_keys, coordinate_width)
    scatter_points(of_labels.get(), labels, shape, fortran, point_data)
    cdef list parts = []
    for i in range(n_keys):
        part_dims[0] = count_data[i]
        part = cnp.PyArray_SimpleNewFromData(2, part_dims, kind, point_data)
        cnp.set_array_base(part, points)
        parts.append(part)
        point_data += part_dims[0] * part_dims[1] * coordinate_width
    return parts


cdef int scatter_points(CPoints* of_labels, cnp.ndarray labels, shape, bint fortran, void* points) except -1:
    """Write the points of all labels, walking the array in C order, slab by slab where it lies in Fortran order."""
    cdef vector[int64_t] dims = shape
    cdef vector[size_t] slab_dims = shape
    cdef vector[cnp.npy_intp] strides
    cdef cnp.npy_intp width = cnp.PyArray_ITEMSIZE(labels), stride = width
    cdef int ndim = <int>dims.size()
    cdef int64_t n_first = dims[0], first = 0
    cdef char* data = <char*>data_of(labels)
    cdef cnp.ndarray buffer
    cdef void* slab = data
    if fortran:
        for dim in shape:
            strides.push_back(stride)
            stride *= dim
        slab_dims[0] = dims[0] = max(1, min(n_first, <int64_t>slab_nbytes * n_first // max(1, stride)))
        buffer = np.empty(max(1, stride // max(1, n_first) * dims[0]), np.uint8)
        slab = data_of(buffer)
    with nogil:
        while first < n_first:
            if fortran:
                slab_dims[0] = dims[0] = min(dims[0], n_first - first)
                c_copy_axes(data + first * width, strides.data(), slab, slab_dims.data(), slab_dims.size(), width)
            of_labels.add(slab, dims.data(), ndim, first, points)
            first += dims[0]
    return 0


def keep_surface(cnp.ndarray labels, shape, cnp.ndarray out):
    """Write the labels, with 0 for voxels neither on the border nor beside another label."""
    cdef vector[int64_t] dims = shape
    cdef void* data = data_of(labels)
    cdef void* out_data = data_of(out)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    with nogil:
        c_keep_surface(data, width, dims.data(), <int>dims.size(), out_data)
