"""torchvision's data sets can be had whatever its binary part fits."""

from simulate.data.torchvision_compat import torchvision_datasets


def test_data_sets_are_imported_and_imported_again():
    datasets = torchvision_datasets()
    assert datasets.MNIST.__name__ == "MNIST"
    assert torchvision_datasets() is datasets
