"""Losses as pure functions on tensors.

The last axis holds the items of one list, such as a batch. Embeddings have a feature axis after it. All axes before it
broadcast: groups, models of a stack, or both. Each loss returns one value per list. Tensors in half precision (float16,
bfloat16) are converted to float32, and the result is in float32.
"""

from skmetric.losses.contrastive.margin import batch_contrastive_loss, contrastive_loss
from skmetric.losses.contrastive.nce import batch_nce_loss, nce_loss, sampled_softmax_loss
from skmetric.losses.contrastive.softmax import info_nce_loss, nca_loss, paired_info_nce_loss, sup_con_loss
from skmetric.losses.contrastive.weighted import multi_similarity_loss, proxy_anchor_loss
from skmetric.losses.distance import cross_distance, pairwise_distance
from skmetric.losses.order.correlation import pearson_loss, spearman_loss
from skmetric.losses.order.ranks import blackbox_ranks
from skmetric.losses.order.ranksim import distinct_rows, neighbor_spearman, ranksim_loss
from skmetric.losses.ranking.listwise import approx_ndcg_loss, list_mle_loss, softmax_loss
from skmetric.losses.ranking.pairwise import (
    lambda_loss,
    margin_ranking_loss,
    pairwise_hinge_loss,
    pairwise_logistic_loss,
)
from skmetric.losses.ranking.pointwise import pointwise_squared_loss
from skmetric.losses.triplet.loss import batch_triplet_loss, block_triplet_loss, triplet_margin_loss
from skmetric.losses.triplet.shares import block_triplet_shares, triplet_shares

__all__ = [
    "approx_ndcg_loss",
    "batch_contrastive_loss",
    "batch_nce_loss",
    "batch_triplet_loss",
    "blackbox_ranks",
    "block_triplet_loss",
    "block_triplet_shares",
    "contrastive_loss",
    "cross_distance",
    "distinct_rows",
    "info_nce_loss",
    "lambda_loss",
    "list_mle_loss",
    "margin_ranking_loss",
    "multi_similarity_loss",
    "nca_loss",
    "nce_loss",
    "neighbor_spearman",
    "paired_info_nce_loss",
    "pairwise_distance",
    "pairwise_hinge_loss",
    "pairwise_logistic_loss",
    "pearson_loss",
    "pointwise_squared_loss",
    "proxy_anchor_loss",
    "ranksim_loss",
    "sampled_softmax_loss",
    "softmax_loss",
    "spearman_loss",
    "sup_con_loss",
    "triplet_margin_loss",
    "triplet_shares",
]
