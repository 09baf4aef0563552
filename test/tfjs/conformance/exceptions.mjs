// Specs of tfjs-core's suite that our backend fails on purpose, each with its reason. At most ten; a spec that is listed here
// and passes is a fault too.
export const exceptions = {
  'avgPool selfnorm {} gradient x=[3,3,1] f=[3,3] s=1 p=explicit':
    "tfjs's CPU backend divides the gradient by the whole window where its forward pass divides by the cells inside the image; ours is the gradient of the forward pass, as TensorFlow's",
  'maxPool selfnorm {} [x=[3,3,1] f=[2,2] s=1 ignores NaNs':
    'a window with NaN gives NaN, so that a fault in training shows',
  'maxPool3d selfnorm {} x=[1,3,3,3,1] f=[2,2,2] s=1 p=valid, ignores NaNs':
    'a window with NaN gives NaN, so that a fault in training shows',
  'gather selfnorm {} throws when index is out of bound':
    'refusing an index means waiting for the device; its slice is NaN instead (0 for integers), and it has no gradient',
};
