# Which labels share voxels, and where each lies.

def last_partners(cnp.ndarray first, cnp.ndarray second, shape, bint fortran):
    """The distinct labels of `first`, and for each the label of `second` on its last voxel in C order."""
    cdef vector[int64_t] dims = shape
    cdef void* first_data = data_of(first)
    cdef void* second_data = data_of(second)
    cdef unique_ptr[CRelation] relation = make_relation(
        cnp.PyArray_ITEMSIZE(first), cnp.PyArray_ITEMSIZE(second), False)
    cdef cnp.ndarray labels, partners
    with nogil:
        relation.get().add(first_data, second_data, dims.data(), <int>dims.size(), fortran)
    labels = np.empty(relation.get().n_first(), dtype=first.dtype)
    partners = np.empty(labels.size, dtype=second.dtype)
    relation.get().copy_first(data_of(labels))
    relation.get().copy_last_partner(data_of(partners))
    return labels, partners


def label_pairs(cnp.ndarray first, cnp.ndarray second, shape, bint fortran):
    """The distinct pairs of labels that lie on one voxel, as two arrays."""
    cdef vector[int64_t] dims = shape
    cdef void* first_data = data_of(first)
    cdef void* second_data = data_of(second)
    cdef unique_ptr[CRelation] relation = make_relation(
        cnp.PyArray_ITEMSIZE(first), cnp.PyArray_ITEMSIZE(second), True)
    cdef cnp.ndarray firsts, seconds
    with nogil:
        relation.get().add(first_data, second_data, dims.data(), <int>dims.size(), fortran)
    firsts = np.empty(relation.get().n_pairs(), dtype=first.dtype)
    seconds = np.empty(firsts.size, dtype=second.dtype)
    relation.get().copy_pairs(data_of(firsts), data_of(seconds))
    return firsts, seconds


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
