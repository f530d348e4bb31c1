"""What a project is found by is the same for the index and for followed searches."""

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog.labels import Labels
from opencode.modules.marketplace.domain.catalog import Listing
from opencode.modules.marketplace.domain.contents import impacts_of
from opencode.modules.marketplace.domain.digest import DESCRIPTION_LETTERS, labels_of, words_of_listing


def test_a_followed_search_knows_the_words_of_a_project_that_the_index_knows() -> None:
    listing = Listing(
        id=ProjectId("prj_x"),
        name="fast-api",
        title="FastAPI für C++",
        summary="Größer & schneller: ½ the time.",
        owner="ada-lovelace",
        created_at=0,
        updated_at=0,
        description="deep " * (DESCRIPTION_LETTERS // 5) + "unseen",
        technologies=("Python", "Node.js"),
        tags=("machine-learning",),
        license="MIT OR Apache-2.0",
        is_free=False,
        is_featured=True,
    )
    labels = Labels()
    indexed = impacts_of(listing, [labels.label(*each) for each in labels_of(listing)])
    assert words_of_listing(listing) == set(indexed)
    assert "unseen" not in indexed
