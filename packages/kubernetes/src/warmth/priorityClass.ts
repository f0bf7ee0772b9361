/** Of pods that keep room, or images: everything else goes before them. */
export const priorityClassName = 'ebb-headroom';

/**
 * The lowest for which the Cluster Autoscaler, Karpenter and Ebb's own pools still make a node (the Cluster Autoscaler's default of
 * expendable-pods-priority-cutoff is -10): a pause pod that had to go is made up for.
 */
export const priorityOfHeadroom = -10;
