"""The map that comes with every verdict is Grad-CAM on the last convolution: the shipped detector, real crops."""

import numpy as np
import pytest

from core.detector import load_detector
from core.explain.network import explained_network
from core.faces import crop_face, default_finder
from core.media import load_image
from core.samples import sample_images

pytestmark = pytest.mark.shipped


def test_engines_map_is_grad_cam_of_tf_keras_vis():
    """Ours comes from OpenVINO by a convolution with the head's weights, theirs from TensorFlow by gradients."""
    import tensorflow as tf
    from tf_keras_vis.gradcam import Gradcam

    detector = load_detector("default", engine="openvino", precision="f32")
    assert detector.spec.classes[0] == "real"
    size, crops = detector.spec.input_size, []
    for path in sample_images().values():
        rgb = load_image(path).rgb
        (face,) = default_finder().find(rgb)
        crops += [crop_face(rgb, face, scale=scale, size=size) for scale in (detector.spec.crop.scale, 1.2)]
    ours = detector.predict(np.stack(crops)).activation_maps
    network = explained_network(detector)
    theirs = Gradcam(network.model)(
        # log-odds of fake: all fakes together against real, which stands first
        lambda outputs: tf.reduce_logsumexp(outputs[:, 1:], axis=1) - outputs[:, 0],
        network.pixels(np.stack(crops)),
        penultimate_layer=network.features,
        seek_penultimate_conv_layer=False,
        activation_modifier=None,
        expand_cam=False,
        normalize_cam=False,
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert np.ptp(mine) > 0.1  # a flat map would agree with anything
        assert np.corrcoef(mine.ravel(), np.asarray(other).ravel())[0, 1] > 0.999
    # and in the same unit: theirs is per place of the map
    places = ours.shape[1] * ours.shape[2]
    assert ours == pytest.approx(np.asarray(theirs) * places, abs=0.02 * float(np.abs(ours).max()))
