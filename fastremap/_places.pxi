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


def points_of(cnp.ndarray labels, shape, cnp.ndarray keys, cnp.ndarray counts, bint wide):
    """The coordinates of the voxels of each key, of which there are `counts`, as a list of views of one array."""
    cdef vector[int64_t] dims = shape
    cdef int64_t* count_data = <int64_t*>data_of(counts)
    cdef cnp.npy_intp n_keys = min(cnp.PyArray_SIZE(keys), cnp.PyArray_SIZE(counts)), i
    cdef vector[int64_t] cursors = vector[int64_t](n_keys)
    cdef cnp.npy_intp part_dims[2]
    part_dims[0] = 0
    part_dims[1] = dims.size()
    for i in range(n_keys):
        cursors[i] = part_dims[0]
        part_dims[0] += count_data[i]
    cdef int kind = cnp.NPY_UINT32 if wide else cnp.NPY_UINT16
    cdef cnp.ndarray points = cnp.PyArray_EMPTY(2, part_dims, kind, 0), part
    cdef void* data = data_of(labels)
    cdef void* key_data = data_of(keys)
    cdef char* point_data = <char*>data_of(points)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t coordinate_width = cnp.PyArray_ITEMSIZE(points)
    with nogil:
        c_scatter_points(data, width, dims.data(), <int>dims.size(), key_data, n_keys, cursors.data(), point_data,
                         coordinate_width)
    cdef list parts = []
    for i in range(n_keys):
        part_dims[0] = count_data[i]
        part = cnp.PyArray_SimpleNewFromData(2, part_dims, kind, point_data)
        cnp.set_array_base(part, points)
        parts.append(part)
        point_data += part_dims[0] * part_dims[1] * coordinate_width
    return parts


def keep_surface(cnp.ndarray labels, shape, cnp.ndarray out):
    """Write the labels, with 0 for voxels neither on the border nor beside another label."""
    cdef vector[int64_t] dims = shape
    cdef void* data = data_of(labels)
    cdef void* out_data = data_of(out)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    with nogil:
        c_keep_surface(data, width, dims.data(), <int>dims.size(), out_data)
